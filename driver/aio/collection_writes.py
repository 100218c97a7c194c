"""A collection's writes (CRUD, "Write")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from driver.aio.collection_base import CollectionBase
from driver.bson import encode_inserts
from driver.engine.writes import parts_of, write_many, write_of, write_one
from driver.models import (
    DeleteMany,
    DeleteOne,
    ReplaceOne,
    ReturnDocument,
    UpdateMany,
    UpdateOne,
    WriteModel,
    check_document,
    check_replacement,
    check_update,
)
from driver.normalize import (
    collation_document,
    hint_document,
    projection_document,
    sort_document,
)
from driver.operations.base import Retry
from driver.operations.find_and_modify import FindAndModify
from driver.operations.write import Insert, Statements
from driver.results import (
    BulkWriteResult,
    DeleteResult,
    InsertManyResult,
    InsertOneResult,
    UpdateResult,
)


class CollectionWrites(CollectionBase):
    """insert_one and its kin."""

    def _acknowledged(self, session: Any) -> bool:
        """Whether the server answers; in a transaction it does, whose write concern counts then."""
        return self._scope.write_concern.acknowledged or session is not None

    async def insert_one(
        self,
        document: Mapping[str, Any],
        bypass_document_validation: bool | None = None,
        session: Any = None,
        comment: Any = None,
        raw_data: bool | None = None,
    ) -> InsertOneResult:
        """Insert a document; one without `_id` is given an ObjectId, in place."""
        operation = Insert(
            **self._writing,
            statements=Statements(*encode_inserts((document,), self._scope.codec_options)),
            retry=Retry.WRITE,
            bypass_document_validation=bypass_document_validation,
            comment=comment,
            raw_data=raw_data,
        )
        await write_one(self._core, operation, session)
        return InsertOneResult(self._acknowledged(session), document.get("_id"))

    async def insert_many(
        self,
        documents: Iterable[Mapping[str, Any]],
        ordered: bool = True,
        bypass_document_validation: bool | None = None,
        session: Any = None,
        comment: Any = None,
        raw_data: bool | None = None,
    ) -> InsertManyResult:
        """Insert documents, in as few commands as possible; raises BulkWriteError."""
        if isinstance(documents, (Mapping, str, bytes)):
            raise TypeError("documents must be a list of documents")
        given = list(documents)
        if not given:
            raise ValueError("documents must not be empty")
        operation = Insert(
            **self._writing,
            statements=Statements(*encode_inserts(given, self._scope.codec_options)),
            retry=Retry.WRITE,
            ordered=ordered,
            bypass_document_validation=bypass_document_validation,
            comment=comment,
            raw_data=raw_data,
        )
        with self._core.span("insert", self._db, self.name, session):
            parts = [(operation, range(len(given)))]
            await write_many(self._core, parts, session, self._scope.timeout)
        ids = [document.get("_id") for document in given]
        return InsertManyResult(self._acknowledged(session), ids)

    async def bulk_write(
        self,
        requests: Sequence[WriteModel],
        ordered: bool = True,
        bypass_document_validation: bool | None = None,
        session: Any = None,
        comment: Any = None,
        let: Mapping[str, Any] | None = None,
        raw_data: bool | None = None,
    ) -> BulkWriteResult:
        """Run several writes; raises BulkWriteError if any failed."""
        if not isinstance(requests, list | tuple):
            raise TypeError("requests must be a list of write models")
        if not requests:
            raise ValueError("requests must not be empty: there is nothing to write")
        for request in requests:
            if not isinstance(request, WriteModel):
                raise TypeError(f"{request!r} is no write model such as InsertOne")
        parts = parts_of(
            [request.statement(self.codec_options) for request in requests],
            ordered=ordered,
            bypass_document_validation=bypass_document_validation,
            comment=comment,
            let=let,
            raw_data=raw_data,
            **self._writing,
        )
        with self._core.span("bulkWrite", self._db, self.name, session):
            result = await write_many(self._core, parts, session, self._scope.timeout)
        return BulkWriteResult(self._acknowledged(session), result)

    async def update_one(
        self,
        filter: Mapping[str, Any],  # noqa: A002 - PyMongo's name
        update: Any,
        upsert: bool = False,
        bypass_document_validation: bool | None = None,
        collation: Any = None,
        array_filters: Sequence[Mapping[str, Any]] | None = None,
        hint: Any = None,
        session: Any = None,
        let: Mapping[str, Any] | None = None,
        sort: Any = None,
        comment: Any = None,
        raw_data: bool | None = None,
    ) -> UpdateResult:
        """Change the first document that matches, with operators or a pipeline."""
        model = UpdateOne(filter, update, upsert or None, collation, array_filters, hint, sort=sort)
        return await self._update(
            model,
            session,
            bypass_document_validation=bypass_document_validation,
            let=let,
            comment=comment,
            raw_data=raw_data,
        )

    async def update_many(
        self,
        filter: Mapping[str, Any],  # noqa: A002 - PyMongo's name
        update: Any,
        upsert: bool = False,
        array_filters: Sequence[Mapping[str, Any]] | None = None,
        bypass_document_validation: bool | None = None,
        collation: Any = None,
        hint: Any = None,
        session: Any = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        raw_data: bool | None = None,
    ) -> UpdateResult:
        """Change all documents that match; never retried."""
        model = UpdateMany(filter, update, upsert or None, collation, array_filters, hint)
        return await self._update(
            model,
            session,
            bypass_document_validation=bypass_document_validation,
            let=let,
            comment=comment,
            raw_data=raw_data,
        )

    async def replace_one(
        self,
        filter: Mapping[str, Any],  # noqa: A002 - PyMongo's name
        replacement: Mapping[str, Any],
        upsert: bool = False,
        bypass_document_validation: bool | None = None,
        collation: Any = None,
        hint: Any = None,
        session: Any = None,
        let: Mapping[str, Any] | None = None,
        sort: Any = None,
        comment: Any = None,
        raw_data: bool | None = None,
    ) -> UpdateResult:
        """Put another document in the place of the first that matches."""
        model = ReplaceOne(filter, replacement, upsert or None, collation, hint, sort=sort)
        return await self._update(
            model,
            session,
            bypass_document_validation=bypass_document_validation,
            let=let,
            comment=comment,
            raw_data=raw_data,
        )

    async def _update(
        self, model: UpdateOne | UpdateMany | ReplaceOne, session: Any, **options: Any
    ) -> UpdateResult:
        statement = model.statement(self.codec_options)
        operation = write_of(statement.kind, (statement,), **self._writing, **options)
        reply = await write_one(self._core, operation, session)
        return UpdateResult(self._acknowledged(session), reply)

    async def delete_one(
        self,
        filter: Mapping[str, Any],  # noqa: A002 - PyMongo's name
        collation: Any = None,
        hint: Any = None,
        session: Any = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        raw_data: bool | None = None,
    ) -> DeleteResult:
        """Delete the first document that matches."""
        model = DeleteOne(filter, collation, hint)
        return await self._delete(model, session, let=let, comment=comment, raw_data=raw_data)

    async def delete_many(
        self,
        filter: Mapping[str, Any],  # noqa: A002 - PyMongo's name
        collation: Any = None,
        hint: Any = None,
        session: Any = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        raw_data: bool | None = None,
    ) -> DeleteResult:
        """Delete all documents that match; never retried."""
        model = DeleteMany(filter, collation, hint)
        return await self._delete(model, session, let=let, comment=comment, raw_data=raw_data)

    async def _delete(
        self, model: DeleteOne | DeleteMany, session: Any, **options: Any
    ) -> DeleteResult:
        statement = model.statement(self.codec_options)
        operation = write_of(statement.kind, (statement,), **self._writing, **options)
        reply = await write_one(self._core, operation, session)
        return DeleteResult(self._acknowledged(session), reply)

    async def find_one_and_delete(
        self,
        /,
        filter: Mapping[str, Any],  # noqa: A002 - PyMongo's name
        projection: Any = None,
        sort: Any = None,
        hint: Any = None,
        session: Any = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        **options: Any,
    ) -> Any:
        """Delete the first document that matches, and give it (None if there is none)."""
        return await self._find_and_modify(
            filter,
            projection,
            sort,
            session,
            options,
            remove=True,
            hint=hint,
            let=let,
            comment=comment,
        )

    async def find_one_and_replace(
        self,
        /,
        filter: Mapping[str, Any],  # noqa: A002 - PyMongo's name
        replacement: Mapping[str, Any],
        projection: Any = None,
        sort: Any = None,
        upsert: bool = False,
        return_document: bool = ReturnDocument.BEFORE,
        hint: Any = None,
        session: Any = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        **options: Any,
    ) -> Any:
        """Replace the first document that matches; gives it as it was, or with AFTER as it is."""
        check_replacement(replacement)
        return await self._find_and_modify(
            filter,
            projection,
            sort,
            session,
            options,
            update=replacement,
            upsert=upsert,
            new=bool(return_document),
            hint=hint,
            let=let,
            comment=comment,
        )

    async def find_one_and_update(
        self,
        /,
        filter: Mapping[str, Any],  # noqa: A002 - PyMongo's name
        update: Any,
        projection: Any = None,
        sort: Any = None,
        upsert: bool = False,
        return_document: bool = ReturnDocument.BEFORE,
        array_filters: Sequence[Mapping[str, Any]] | None = None,
        hint: Any = None,
        session: Any = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        **options: Any,
    ) -> Any:
        """Change the first document that matches; gives it as it was, or with AFTER as it is."""
        check_update(update)
        return await self._find_and_modify(
            filter,
            projection,
            sort,
            session,
            options,
            update=update,
            upsert=upsert,
            new=bool(return_document),
            array_filters=list(array_filters) if array_filters is not None else None,
            hint=hint,
            let=let,
            comment=comment,
        )

    async def _find_and_modify(
        self,
        filter: Mapping[str, Any],  # noqa: A002 - as above
        projection: Any,
        sort: Any,
        session: Any,
        options: dict[str, Any],
        *,
        hint: Any,
        **fields: Any,
    ) -> Any:
        check_document("filter", filter)
        concern = self.write_concern
        operation = FindAndModify(
            **self._writing,
            codec_options=self.codec_options,
            retry=Retry.WRITE if concern.acknowledged else Retry.NEVER,
            query=filter,
            fields=projection_document(projection),
            sort=sort_document(sort) if sort else None,
            hint=hint_document(hint) if hint is not None else None,
            collation=collation_document(options.pop("collation", None)),
            bypass_document_validation=options.pop("bypassDocumentValidation", None),
            max_time_ms=options.pop("maxTimeMS", None),
            raw_data=options.pop("rawData", None),
            **fields,
        )
        if options:
            raise TypeError(f"find_one_and_* has no option {', '.join(sorted(options))}")
        return await self._core.execute(operation, session)

"""What an operation is: a driver's method, the arguments it takes, and how it is performed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from runners.adapters.pymongo_api.arguments import (
    Converter,
    Parameters,
    call_complete,
    keywords,
    parameters_of,
)
from runners.adapters.pymongo_api.binding import Binding
from runners.adapters.pymongo_api.driving import Driving, settle
from runners.adapters.pymongo_api.entity import Entity

_END = object()


class Raised(Exception):
    """The driver's error, apart from what could go wrong in the adapter."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class Call:
    """One operation on one entity.

    `values` has the arguments by the format's names, as the driver's values. `body` runs the
    callback of a withTransaction once and raises the driver's error that ended it.
    """

    name: str
    operation: Operation
    entity: Entity
    values: Mapping[str, Any]
    binding: Binding
    driving: Driving
    convert: Converter
    body: Callable[[], None] | None = None

    @property
    def target(self) -> Any:
        """The driver's object."""
        return self.entity.value

    def keywords(self, *own: str) -> dict[str, Any]:
        """The arguments as keywords of the operation's method, but those named `own`."""
        given = {name: value for name, value in self.values.items() if name not in own}
        parameters = self.operation.parameters(self.binding, self.entity.kind)
        return keywords(self.name, parameters, given, self.operation.renamed)

    async def invoke(self, function: Callable[..., Any], *positional: Any, **named: Any) -> Any:
        """Call into the driver; its errors become `Raised`."""
        with self._driver_errors():
            return await settle(function(*positional, **named))

    async def method(self, **named: Any) -> Any:
        """Call the operation's method."""
        if self.operation.method is None:
            raise TypeError(f"{self.name} has no method")
        function = getattr(self.target, self.operation.method)
        parameters = self.operation.parameters(self.binding, self.entity.kind)
        with self._driver_errors():
            return await settle(call_complete(self.name, function, parameters, named))

    async def collect(self, cursor: Any) -> list[Any]:
        """All that a cursor yields."""
        with self._driver_errors():
            if hasattr(type(cursor), "__aiter__"):
                return [document async for document in cursor]
            return list(cursor)

    async def advance(self, cursor: Any) -> list[Any]:
        """The cursor's next document in a list, or an empty one at its (present) end."""
        with self._driver_errors():
            if hasattr(type(cursor), "__anext__"):
                document = await anext(cursor, _END)
            else:
                document = next(cursor, _END)
        return [] if document is _END else [document]

    @contextmanager
    def _driver_errors(self) -> Iterator[None]:
        try:
            yield
        except self.binding.failures as error:
            raise Raised(error) from error


Perform: TypeAlias = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the format.

    `method` is the driver's method that it comes down to: without it, the driver lacks the
    operation. `own` are arguments which `perform` deals with; the others must be parameters of
    `method`, by the name in `renamed` or by their own. `answer` is the binding's answer that the
    harness's own questions come down to.
    """

    perform: Perform
    arguments: frozenset[str]
    method: str | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    answer: str | None = None

    def parameters(self, binding: Binding, kind: str) -> Parameters:
        """What the driver's method takes."""
        if self.method is None:
            raise TypeError("an operation without a method has no parameters")
        function = getattr(binding.classes[kind], self.method)
        return parameters_of(binding, function)

    def offered(self, binding: Binding, kind: str) -> bool:
        """Whether the driver has the operation."""
        if self.answer is not None:
            return self.answer in binding.answers
        return self.method is None or hasattr(binding.classes[kind], self.method)

    def arguments_offered(self, binding: Binding, kind: str) -> frozenset[str]:
        """The arguments that the driver has for the operation."""
        if self.method is None or self.arguments == self.own:
            return self.arguments
        parameters = self.parameters(binding, kind)
        return frozenset(
            argument
            for argument in self.arguments
            if argument in self.own or parameters.keyword(self.renamed.get(argument, argument))
        )


def operation(
    perform: Perform, *arguments: str, method: str | None = None, own: tuple[str, ...] = ()
) -> Operation:
    """An operation; an argument may be written `name=keyword` where the driver's differs."""
    split = [argument.partition("=") for argument in arguments]
    return Operation(
        perform=perform,
        arguments=frozenset(name for name, _, _ in split) | frozenset(own),
        method=method,
        renamed={name: keyword for name, _, keyword in split if keyword},
        own=frozenset(own),
    )


def returns(
    method: str, *arguments: str, result: Callable[[Any], Any] = lambda value: value
) -> Operation:
    """An operation that is one call of a method; `result` makes a document of what it returns."""

    async def perform(call: Call) -> Any:
        return result(await call.method(**call.keywords()))

    return operation(perform, *arguments, method=method)


def yields(method: str, *arguments: str) -> Operation:
    """An operation that is one call of a method and the iteration of the cursor it returns."""

    async def perform(call: Call) -> Any:
        return await call.collect(await call.method(**call.keywords()))

    return operation(perform, *arguments, method=method)


def question(answer: str) -> Operation:
    """What the harness asks of an entity, and no user of the driver would."""

    async def perform(call: Call) -> Any:
        return await call.invoke(call.binding.answers[answer], call.target)

    return Operation(perform, frozenset(), answer=answer)

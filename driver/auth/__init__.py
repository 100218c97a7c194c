"""Authentication as pure step machines (auth spec): nothing here does input or output."""

from driver.auth.conversation import Conversation
from driver.auth.credentials import Credentials
from driver.auth.handshake import Authentication, conversation, negotiated

__all__ = ["Authentication", "Conversation", "Credentials", "conversation", "negotiated"]

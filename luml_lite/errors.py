"""Every error of the library, as one tree.

    LumlError
    +-- InvalidArgumentError (also a ValueError), ResourceNotFoundError, IntegrityError, DecodeError, Interrupted,
    |   SystemLimitError
    +-- FileError
    |   +-- FileUploadError, FileDownloadError
    +-- ConnectionFailed
    |   +-- TimedOut
    +-- StorageError, of the bucket
    +-- LumlAPIError, of the platform
        +-- ConfigurationError, MultipleResourcesFoundError
        +-- APIStatusError
            +-- BadRequestError 400, AuthenticationError 401, PermissionDeniedError 403, NotFoundError 404,
                ConflictError 409, UnprocessableEntityError 422, InternalServerError 5xx
                +-- ArtifactNotFoundError (a NotFoundError, also a ValueError)

Every error can be pickled, says what happened, to what, and what to do next, and carries no secret.
"""

from __future__ import annotations

import errno
from typing import Any, ClassVar

_LONGEST = 4000  # characters of a message
_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


def printable(text: str, most: int) -> str:
    """The first `most` characters of a text as one line, without control characters."""
    return "".join(each if each.isprintable() else " " for each in text[:most])


class LumlError(Exception):
    """The root of the tree.

    `request` is the redacted request, which was sent `attempts` times in `elapsed` seconds. `retry_after` is the wait
    in seconds that the server asked for.
    """

    request: str = ""
    attempts: int = 0
    elapsed: float = 0.0
    retry_after: float | None = None

    def __init__(self, message: str = "") -> None:
        message = printable(message, _LONGEST)  # the names of a registry have any length and any character
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).__new__, (type(self), *self.args), self.__dict__

    def __str__(self) -> str:
        if not self.request:
            return self.message
        times = f", tried {self.attempts} times in {self.elapsed:.1f} s" if self.attempts > 1 else ""
        return f"{self.message} [{self.request}{times}]"


class InvalidArgumentError(LumlError, ValueError):
    """An argument or a setting that cannot work; raised before any request."""


class ResourceNotFoundError(LumlError):
    """No organization, orbit or collection has that name; the message lists those that exist."""


class FileError(LumlError):
    """The local file cannot be used; raised before any request where possible."""


class FileUploadError(FileError):
    """The upload definitely failed; `artifact_id` is the row marked upload_failed, None if none was created."""

    artifact_id: str | None = None


class FileDownloadError(FileError):
    """The download definitely failed; the target file is unchanged."""


class IntegrityError(LumlError):
    """Bytes are not the expected ones: wrong digest, wrong length, or a file that changed during the call.

    `etag` is that of stored bytes which it calls others than were sent; in some buckets an ETag only looks like an MD5.
    """

    etag: str = ""


class DecodeError(LumlError):
    """A response that does not follow the protocol."""


class ConnectionFailed(LumlError):
    """The connection could not be opened, or it broke after `received` bytes of the body had been written.

    `sent` is False only if the server certainly never saw the request. `permanent` is True if a retry cannot help.
    `headers` are those of the response, if they had arrived. `errno` is the system's, None where it said nothing; the
    error of the transport is the cause.
    """

    errno: int | None = None

    def __init__(
        self,
        message: str = "",
        *,
        sent: bool = True,
        received: int = 0,
        headers: dict[str, str] | None = None,
        permanent: bool = False,
    ):
        super().__init__(message)
        self.sent = sent
        self.permanent = permanent
        self.received = received
        self.headers: dict[str, str] = headers or {}


class TimedOut(ConnectionFailed):
    """No bytes, or fewer than the stall limit, moved for too long."""


class SystemLimitError(LumlError):
    """Memory, file descriptors or threads of this machine ran out; trying again needs them to be free first.

    `sent` is True if that happened when a request may have reached the server.
    """

    sent: bool = False


def system_limit(error: object) -> SystemLimitError | None:
    """The error for memory or descriptors that this machine has run out of; None for any other error."""
    code = errno.ENOMEM if isinstance(error, MemoryError) else getattr(error, "errno", None)
    if not isinstance(error, MemoryError | OSError) or code not in _LIMITS:
        return None
    limit = SystemLimitError(f"this machine ran out of memory or file descriptors: {errno.errorcode[code]} ({error})")
    error.__context__ = None  # it and the frames of urllib3 refer to the URL
    limit.__cause__ = error.with_traceback(None)
    return limit


class Interrupted(LumlError):
    """The call was interrupted or cancelled; flows receive this and clean up."""


class LumlAPIError(LumlError):
    """The platform refused, or settings or names are ambiguous; programs of the published SDK catch this name."""


class ConfigurationError(LumlAPIError):
    """A setting is missing or does not fit the server; raised before any request."""


class MultipleResourcesFoundError(LumlAPIError):
    """Several resources have the same name; `ids` lists them."""

    def __init__(self, message: str = "", ids: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.ids = ids


class APIStatusError(LumlAPIError):
    """The platform answered with an error status; `body` is the decoded response, without the input it echoes.

    A subclass with a `status` of its own is raised for responses with that status.
    """

    status: ClassVar[int] = 0

    def __init__(self, message: str = "", *, status_code: int = 0, body: Any = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.body = body


class BadRequestError(APIStatusError):
    """400: the platform refuses a sort column, a status transition or an artifact type."""

    status = 400


class AuthenticationError(APIStatusError):
    """401: the API key is missing, unknown or malformed."""

    status = 401


class PermissionDeniedError(APIStatusError):
    """403: the key's owner is not a member, or the role lacks the permission."""

    status = 403


class NotFoundError(APIStatusError):
    """404: no such organization, orbit, collection, artifact or route."""

    status = 404


class ArtifactNotFoundError(NotFoundError, ValueError):
    """No artifact of the collection has that id."""


class ConflictError(APIStatusError):
    """409: a limit is reached, or another resource still uses this one."""

    status = 409


class UnprocessableEntityError(APIStatusError):
    """422: a field failed the platform's validation."""

    status = 422


class InternalServerError(APIStatusError):
    """5xx: the platform failed."""


class StorageError(LumlError):
    """The bucket answered with an error status; `code` is the vendor's.

    `expired` is True if the URL had expired, `is_transient` if the same request may succeed later.
    """

    def __init__(
        self,
        message: str = "",
        *,
        status_code: int = 0,
        code: str = "",
        expired: bool = False,
        is_transient: bool = False,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.code = code
        self.expired = expired
        self.is_transient = is_transient

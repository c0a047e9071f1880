"""Everything that can go wrong, as one tree.

    LumlError
    +-- InvalidArgumentError (ValueError)   an argument no server would take; nothing was sent
    +-- ResourceNotFoundError            no organization, orbit or collection of that name
    +-- FileError                        the local file cannot be used
    |   +-- FileUploadError              the upload definitely failed
    |   +-- FileDownloadError            the download definitely failed; the target is untouched
    +-- IntegrityError                   digest, length or file changed
    +-- DecodeError                      an answer that is not what the protocol says
    +-- ConnectionFailed                 the connection broke; `sent` says whether the server may have acted
    +-- TimedOut                         nothing, or too little, moved for too long
    +-- Interrupted                      the call was interrupted or cancelled
    +-- LumlAPIError                     what programs of the published SDK catch by this name
    |   +-- ConfigurationError           a setting is missing or wrong; nothing was sent
    |   +-- MultipleResourcesFoundError  a name stands for more than one thing
    |   +-- APIStatusError               the platform answered with an error status
    |       +-- BadRequestError 400, AuthenticationError 401, PermissionDeniedError 403, NotFoundError 404,
    |           ConflictError 409, UnprocessableEntityError 422, InternalServerError 5xx
    |           +-- ArtifactNotFoundError (NotFoundError, ValueError)
    +-- StorageError                     the bucket answered with an error status; `code` is the vendor's

Every error can be pickled, says what happened to what and what to do next, and carries no secret.
"""

from __future__ import annotations

from typing import Any


def _rebuild(kind: type[LumlError], args: tuple[Any, ...], state: dict[str, Any]) -> LumlError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class LumlError(Exception):
    """The root of the tree: `request` is the redacted request, tried `attempts` times over `elapsed` seconds.

    `retry_after` is the wait in seconds that the server asked for.
    """

    request: str = ""
    attempts: int = 0
    elapsed: float = 0.0
    retry_after: float | None = None

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        if not self.request:
            return self.message
        times = f", tried {self.attempts} times in {self.elapsed:.1f} s" if self.attempts > 1 else ""
        return f"{self.message} [{self.request}{times}]"


class InvalidArgumentError(LumlError, ValueError):
    """An argument that no server would take; raised before any request."""


class ResourceNotFoundError(LumlError):
    """No organization, orbit or collection of that name; the message lists what exists."""


class FileError(LumlError):
    """The local file cannot be used; raised before any request where that is knowable."""


class FileUploadError(FileError):
    """The upload definitely failed; `artifact_id` is the row that was marked, if one was made."""

    artifact_id: str | None = None


class FileDownloadError(FileError):
    """The download definitely failed; nothing was written under the target's name."""


class IntegrityError(LumlError):
    """Bytes are not the ones expected: wrong digest, wrong length, or a file that changed meanwhile."""


class DecodeError(LumlError):
    """An answer that is not what the protocol says."""


class ConnectionFailed(LumlError):
    """The connection could not be made or broke; `received` bytes of a body had landed by then.

    `sent` is False only where the server provably never saw the request, `permanent` True where trying again is no use.
    """

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
        self.headers = headers or {}


class TimedOut(ConnectionFailed):
    """Nothing, or less than the stall limit, moved for too long."""


class Interrupted(LumlError):
    """The call was interrupted or cancelled; flows see this while they clean up."""


class LumlAPIError(LumlError):
    """What the published SDK calls so: the platform refused, or the client's settings and names are not clear."""


class ConfigurationError(LumlAPIError):
    """A setting is missing or wrong; raised before any request."""


class MultipleResourcesFoundError(LumlAPIError):
    """A name stands for more than one thing; `ids` lists them."""

    def __init__(self, message: str = "", ids: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.ids = ids


class APIStatusError(LumlAPIError):
    """The platform answered with an error status; `body` is the decoded answer without the input that it echoes."""

    def __init__(self, message: str = "", *, status_code: int = 0, body: Any = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.body = body


class BadRequestError(APIStatusError):
    """400: a sort column, a status transition or an artifact type that the platform refuses."""


class AuthenticationError(APIStatusError):
    """401: the API key is missing, unknown or malformed."""


class PermissionDeniedError(APIStatusError):
    """403: not a member, or the role lacks the right."""


class NotFoundError(APIStatusError):
    """404: no such organization, orbit, collection, artifact or route."""


class ArtifactNotFoundError(NotFoundError, ValueError):
    """No artifact of that id in the collection."""


class ConflictError(APIStatusError):
    """409: a limit is reached, or something else still holds the resource."""


class UnprocessableEntityError(APIStatusError):
    """422: the platform's validation refused a field."""


class InternalServerError(APIStatusError):
    """5xx: the platform failed."""


class StorageError(LumlError):
    """The bucket answered with an error status; `code` is the vendor's, `expired` that the URL was no longer valid."""

    def __init__(self, message: str = "", *, status_code: int = 0, code: str = "", expired: bool = False) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.code = code
        self.expired = expired

"""The models of uploads."""

from __future__ import annotations

import msgspec

from luml_lite.api.dialects import dialect
from luml_lite.core.redaction import redact_url
from luml_lite.models.uploads import CreatedModel, UploadDetails
from luml_lite.testing import json_response

from ..operations.flow_player import CFG, uid

URL = "https://bucket.example/key?X-Amz-Signature=5ec7e7"


def test_a_url_is_shown_without_its_query() -> None:
    """Whether there was one is still seen."""
    assert redact_url("https://b.example/k?sig=s") == "https://b.example/k?..."
    assert redact_url("https://b.example/k") == "https://b.example/k"


def test_a_new_row_and_its_url_show_no_signature() -> None:
    """Nor do they in a traceback with locals; as JSON the URL is whole."""
    row = {
        "artifact": {"id": uid(1), "file_name": "m.fnnx", "status": "pending_upload"},
        "upload_details": {"url": URL},
    }
    created: CreatedModel = dialect(CFG).created(json_response(row))
    assert created.url == URL
    assert "5ec7e7" not in repr(created.url) + repr(created.upload_details) + repr(created)
    assert msgspec.to_builtins(created)["upload_details"]["url"] == URL
    assert CreatedModel(created.model, UploadDetails()).url is None

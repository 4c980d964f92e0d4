"""The generated documents are complete, and the committed ones are the generated ones."""

from pathlib import Path

import orjson

from app.web import endpoints
from app.web.openapi import openapi_document, write_openapi
from app.web.permission_matrix import permission_matrix
from tests.contract.conftest import ENDPOINTS, TABS
from tests.fixtures.openapi import problems_of

DOCUMENTS = Path(__file__).parents[2] / "docs" / "api"
STALE = "stale: run `python -m app.cli openapi`"


def test_the_api_document_is_consistent() -> None:
    document = openapi_document(endpoints.registry())
    assert problems_of(document) == []
    described = sum(len(item) for item in document["paths"].values())
    assert described == len([endpoint for endpoint in ENDPOINTS if not endpoint.hidden])


def test_the_committed_api_document_is_fresh(tmp_path: Path) -> None:
    write_openapi(tmp_path / "openapi.json", endpoints.registry())
    assert (DOCUMENTS / "openapi.json").read_bytes() == (tmp_path / "openapi.json").read_bytes(), STALE


def test_the_committed_permission_page_is_fresh() -> None:
    assert (DOCUMENTS / "permissions.md").read_text() == permission_matrix(endpoints.registry(), TABS), STALE


def test_every_body_example_is_accepted() -> None:
    document = openapi_document(endpoints.registry())
    for endpoint in ENDPOINTS:
        if endpoint.body is not None and not endpoint.hidden:
            operation = document["paths"][endpoint.path][endpoint.method.lower()]
            example = operation["requestBody"]["content"]["application/json"]["example"]
            assert endpoint.body.model_validate_json(orjson.dumps(example), strict=True, extra="forbid"), (
                endpoint.name
            )

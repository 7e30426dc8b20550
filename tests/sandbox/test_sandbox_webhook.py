from __future__ import annotations

import httpx

from sandbox.server import RunningSandbox


def test_any_object_is_taken_at_the_one_path_and_cannot_be_read(sandbox: RunningSandbox, http: httpx.Client) -> None:
    assert http.post("/webhook/updates", json={"text": "Down"}).status_code == 202
    assert http.post("/webhook/updates", json=["Down"]).status_code == 400
    assert http.post("/webhook/other", json={"text": "Down"}).status_code == 404
    assert http.get("/webhook/updates").status_code in (404, 405)
    assert [row["payload"] for row in sandbox.ledger("webhook")] == [{"text": "Down"}]

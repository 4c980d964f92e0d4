"""Answers travel compressed. Where a cookie stands for the caller they do not: a guessed secret would show in the length."""

from flask import Flask, Response, request
from flask_compress import Compress

_TEXTS = (
    *("text/html", "text/css", "text/javascript", "text/csv", "text/plain", "image/svg+xml"),
    *("application/json", "application/problem+json"),
)


def init_compression(app: Flask) -> None:
    """Compress every answer of 500 bytes and more for clients that accept it; register it before what sets headers.

    The app proxy is left to Shopify, which compresses for the shopper.
    """
    app.config["COMPRESS_MIMETYPES"] = _TEXTS
    app.config["COMPRESS_ALGORITHM"] = ("zstd", "br", "gzip")
    app.config["COMPRESS_ALGORITHM_STREAMING"] = ("br", "zstd", "gzip")
    app.config["COMPRESS_ZSTD_LEVEL"] = 1
    app.config["COMPRESS_REGISTER"] = False
    app.config["COMPRESS_EVALUATE_CONDITIONAL_REQUEST"] = False
    compress = Compress()
    compress.init_app(app)

    @app.after_request
    def shorten(response: Response) -> Response:
        known_by_cookie = request.cookies and request.endpoint != "static"
        if known_by_cookie or request.path.startswith("/proxy/"):
            return response
        close = getattr(response.response, "close", None)
        if close is not None:
            response.call_on_close(
                close
            )  # the library puts its own stream in front of the file and forgets it
        shorter = compress.after_request(response)
        if "ETag" in shorter.headers:  # it names the encoding now, so only now can it be compared
            shorter.make_conditional(request)
        return shorter

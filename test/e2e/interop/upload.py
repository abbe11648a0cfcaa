"""Uploads one file with a library of others, over the way that is named.

usage: upload.py tus|requests|toolbelt URL FILE

The CA comes from REQUESTS_CA_BUNDLE. Exits 1 when the upload fails.
"""

import os
import sys

import requests
from requests_toolbelt import MultipartEncoder
from tusclient.client import TusClient


def by_tus(url, path):
    uploader = TusClient(url).uploader(path, chunk_size=16 * 1024 * 1024, retries=5, retry_delay=0.2, metadata={"filename": os.path.basename(path)})
    uploader.upload()


def by_requests(url, path):
    with open(path, "rb") as file:
        requests.put(url, data=file).raise_for_status()


def by_toolbelt(url, path):
    with open(path, "rb") as file:
        body = MultipartEncoder(fields={"file": (os.path.basename(path), file, "application/octet-stream")})
        requests.post(url, data=body, headers={"Content-Type": body.content_type, "Accept": "application/json"}).raise_for_status()


if __name__ == "__main__":
    {"tus": by_tus, "requests": by_requests, "toolbelt": by_toolbelt}[sys.argv[1]](*sys.argv[2:])

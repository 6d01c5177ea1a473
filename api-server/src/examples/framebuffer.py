#!/usr/bin/env python3
"""A display whose changed pages are found by track_dirty_vram, in Python's standard library.

    framebuffer.py URL DOMAIN FIRST_PAGE PAGES ROUNDS

The display is guest memory from FIRST_PAGE on. Each round asks which of its pages were written
since the last, reads those, and prints their numbers and a checksum. The first round finds all of
them.
"""
import json
import sys
import urllib.request
import zlib

PAGE = 4096


def ask(path, body=None):
    """One request; a body makes it a POST."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + path, data)) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def dirty_pages(domain, first, pages):
    """Numbers, within the display, of the pages written since this was asked last."""
    out = ask(
        "/v1/hypercalls/dm_op/track_dirty_vram",
        {"domid": domain, "nr": pages, "first_pfn": hex(first)},
    )["out"]
    bitmap = out["dirty_bitmap"]
    return [page for page in range(pages) if bitmap[page // 8] >> page % 8 & 1]


def checksum(domain, page):
    """CRC-32 of a page of guest memory."""
    path = f"/v1/domains/{domain}/memory?gpa={page * PAGE:#x}&length={PAGE}"
    return zlib.crc32(bytes.fromhex(ask(path)["data"]))


def main(domain, first, pages, rounds):
    for _ in range(rounds):
        found = dirty_pages(domain, first, pages)
        print(" ".join(f"{page}:{checksum(domain, first + page):08x}" for page in found), flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    URL = sys.argv[1]
    main(*(int(number, 0) for number in sys.argv[2:]))

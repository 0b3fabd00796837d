#!/usr/bin/env python3
"""Writes receipt-12x24.hex: JetBrains Mono (SIL Open Font License 1.1) drawn into 12x24 dots.

Usage: make-glyphs.py <JetBrainsMono-Medium.ttf> <JetBrainsMono-Bold.ttf> > receipt-12x24.hex
Needs freetype-py. Only needed to change the glyph set; the build reads the committed .hex file.

One line a glyph: code point, ':', 24 rows of 3 hex digits (12 dots, leftmost dot highest)
for the regular weight, ':', the same for bold.
"""
import sys
import unicodedata

import freetype

WIDTH, HEIGHT = 12, 24
PIXELS, BASELINE = 19, 20  # the largest size at which no accent leaves the cell
VOWELS = "aăâeêioôơuưy"
TONES = ["", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"]


def wanted():
    points = set(range(0x20, 0x7F)) | set(range(0xA1, 0x100)) - {0xAD}
    for vowel in VOWELS:
        for tone in TONES:
            letter = unicodedata.normalize("NFC", vowel + tone)
            points |= {ord(letter), ord(letter.upper())}
    points |= {ord("đ"), ord("Đ"), ord("₫"), ord("€"), ord("✓"), ord("№")}
    points |= {ord(c) for c in "–—‘’“”•…←↑→↓─═█"}
    return sorted(points)


def draw(face, point):
    if face.get_char_index(point) == 0:
        return None
    flags = freetype.FT_LOAD_RENDER | freetype.FT_LOAD_TARGET_MONO | freetype.FT_LOAD_FORCE_AUTOHINT
    face.load_char(chr(point), flags)
    slot = face.glyph
    rows = [0] * HEIGHT
    for y in range(slot.bitmap.rows):
        for x in range(slot.bitmap.width):
            byte = slot.bitmap.buffer[y * slot.bitmap.pitch + x // 8]
            row, column = BASELINE - slot.bitmap_top + y, slot.bitmap_left + x
            if byte >> (7 - x % 8) & 1 and 0 <= row < HEIGHT and 0 <= column < WIDTH:
                rows[row] |= 0x800 >> column
    if unicodedata.category(chr(point)).startswith("L"):
        thicken_dots(rows)
    return rows


def thicken_dots(rows):
    """A dot one row high vanishes on thermal paper: give it a second row, away from the letter."""
    for y in range(1, HEIGHT - 1):
        alone = rows[y] and not rows[y - 1] and not rows[y + 1]
        if alone and bin(rows[y]).count("1") <= 4:
            if y > HEIGHT // 2 and y + 1 < HEIGHT:
                rows[y + 1] = rows[y]
                return
            rows[y - 1] = rows[y]


def main():
    faces = [freetype.Face(path) for path in sys.argv[1:3]]
    for face in faces:
        face.set_pixel_sizes(0, PIXELS)
    seen = [{}, {}]
    for point in wanted():
        weights = [draw(face, point) for face in faces]
        if None in weights:
            print("no glyph for U+%04X" % point, file=sys.stderr)
            continue
        for table, rows in zip(seen, weights):
            twin = table.setdefault(tuple(rows), point)
            if twin != point:
                print("U+%04X looks like U+%04X" % (point, twin), file=sys.stderr)
        print("%04X:%s" % (point, ":".join("".join("%03X" % r for r in rows) for rows in weights)))


main()

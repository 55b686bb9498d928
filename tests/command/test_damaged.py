"""Images that are cut short, changed, of another version or none at all: an error, never a crash."""

import os
import random
import shutil

from command import SANITIZE, CommandTest, main, token

VERSION_OFFSET = 16


class Damaged(CommandTest):
    def setUp(self):
        super().setUp()
        scopes = [{"basins": {"prefix": f"b{number}"}, "streams": {"prefix": f"s/{number % 7}/"},
                   "ops": ["read"]} for number in range(40)]
        self.image = self.compile(
            [token(f"user-{number}", credential_digest=f"{number:064x}") for number in range(60)]
            + [token("broker", scopes=scopes)])
        self.bytes = self.read(self.image)

    def refuse(self, content, says):
        """Both ways of opening refuse it in the same words; compile leaves no trace."""
        path = self.write("bad.weir", content)
        first = self.fails("check", "--tokens", path, "--", "user-1", "list-basins",
                           says=[f"weir: {path}: ", *says])
        second = self.fails("inspect", path, says=f"weir: {path}: ")
        self.assertEqual(first.err, second.err)
        return path

    def test_an_image_cut_short_anywhere_is_an_error(self):
        size = len(self.bytes)
        lengths = {*range(1, 140), *range(0, size, max(1, size // 60)), size - 1, size - 64}
        for length in sorted(lengths - {0}):
            with self.subTest(length=length):
                self.refuse(self.bytes[:length], ["truncated"])

    def test_an_empty_file_is_neither_tokens_nor_an_image(self):
        path = self.write("empty", b"")
        self.fails("check", "--tokens", path, "--", "a", "list-basins", says=f"weir: {path}:")
        self.fails("inspect", path, says=f"weir: {path}: ")

    def test_a_flipped_bit_anywhere_is_an_error(self):
        dice = random.Random(7)
        places = {*range(8, 104), *(dice.randrange(len(self.bytes)) for _ in range(150))}
        for place in sorted(places - set(range(8))):
            bit = 1 << dice.randrange(8)
            with self.subTest(place=place, bit=bit):
                changed = bytearray(self.bytes)
                changed[place] ^= bit
                self.refuse(bytes(changed), [])

    def test_an_image_with_a_broken_magic_is_no_image(self):
        for place in range(8):
            changed = bytearray(self.bytes)
            changed[place] ^= 0x20
            path = self.write("bad.weir", bytes(changed))
            self.fails("check", "--tokens", path, "--", "a", "list-basins", says=f"weir: {path}:")
            self.fails("inspect", path, says=f"weir: {path}: ")

    def test_another_version_is_called_so(self):
        for version in 0, 2, 255:
            changed = bytearray(self.bytes)
            changed[VERSION_OFFSET] = version
            self.refuse(bytes(changed), [f"version {version}"])

    def test_bytes_behind_the_end_are_an_error(self):
        for more in b"\0", b"\n", b"x" * 4096:
            self.refuse(self.bytes + more, [])

    def test_bytes_overwritten_with_noise_are_an_error(self):
        dice = random.Random(11)
        for _ in range(60):
            begin = dice.randrange(8, len(self.bytes) - 1)
            length = dice.randrange(1, 64)
            noise = dice.randbytes(length)
            changed = self.bytes[:begin] + noise + self.bytes[begin + length:]
            if changed != self.bytes:
                self.refuse(changed, [])

    def test_the_magic_before_anything_else_is_a_broken_image(self):
        for rest in b"", b"{}", b'{"access_tokens":[]}', b"\0" * 4096, b"\xff" * 4096:
            self.refuse(self.bytes[:8] + rest, [])

    def test_other_files_are_no_images(self):
        for content in b"hello", b"\x7fELF" + b"\0" * 200, b"PK\x03\x04", b"\x89PNG\r\n\x1a\n":
            path = self.write("other", content)
            self.fails("inspect", path, says=[f"weir: {path}: ", "not an image"])

    def test_damage_is_found_through_a_pipe_too(self):
        for content in self.bytes[:100], self.bytes[:-1], self.bytes + b"x":
            self.fails("check", "--tokens", "/dev/stdin", "--", "a", "list-basins", stdin=content,
                       says="weir: /dev/stdin: ")

    def test_compile_and_eval_refuse_a_damaged_image(self):
        path = self.write("bad.weir", self.bytes[:-1])
        before = shutil.copy(self.image, self.path("out.weir"))
        self.fails("compile", "--tokens", path, "-o", "out.weir", says=f"weir: {path}: ")
        with open(before, "rb") as file:
            self.assertEqual(file.read(), self.bytes)
        self.fails("eval", "--tokens", path, stdin=b"x\n", says=f"weir: {path}: ")
        self.assertFalse([name for name in os.listdir(self.folder) if name.endswith(".tmp")])

    def test_a_folder_or_a_device_is_no_image(self):
        self.fails("inspect", self.folder, says="Is a directory")
        self.fails("inspect", "/dev/null", says="weir: /dev/null: ")
        if not SANITIZE:
            self.fails("inspect", "/dev/zero", says=["weir: /dev/zero: ", "not an image"])


if __name__ == "__main__":
    main()

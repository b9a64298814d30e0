#include "signfold/source/npz.h"

#include "signfold/source/files_for_test.h"

namespace signfold {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

class NpzTest : public SourceFiles {
 protected:
  static std::optional<std::vector<float>> first_numbers(int count) {
    std::vector<float> out(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) out[static_cast<std::size_t>(i)] = static_cast<float>(i);
    return out;
  }
};

TEST_F(NpzTest, ReadsStoredAndDeflatedMembersByName) {
  python(R"(
x = np.arange(12, dtype='f4').reshape(4, 3)
np.savez('one.npz', x)
np.savez_compressed('packed.npz', x)
np.savez('two.npz', a=x, b=-x)
np.savez_compressed('fortran.npz', a=np.asfortranarray(x))
np.savez('colon:in:name.npz', x)
)");
  EXPECT_EQ(try_to_read(path("one.npz")), first_numbers(12));
  EXPECT_EQ(try_to_read(path("packed.npz")), first_numbers(12));
  EXPECT_EQ(try_to_read(path("fortran.npz")), first_numbers(12));
  EXPECT_EQ(try_to_read(path("colon:in:name.npz")), first_numbers(12));
  EXPECT_EQ(try_to_read(path("one.npz:arr_0")), first_numbers(12));
  EXPECT_EQ(try_to_read(path("two.npz:a")), first_numbers(12));
  EXPECT_EQ(try_to_read(path("two.npz:a.npy")), first_numbers(12));
  EXPECT_EQ(read_all(*open_source(path("two.npz:b")))(3, 2), -11);
  EXPECT_EQ(file_of_vectors(path("two.npz:b")), path("two.npz"));
  EXPECT_EQ(file_of_vectors(path("two.npz")), path("two.npz"));
  EXPECT_EQ(file_of_vectors(path("colon:in:name.npz")), path("colon:in:name.npz"));
}

TEST_F(NpzTest, AnUnclearNameListsTheNames) {
  python(
      "np.savez('two.npz', left=np.ones((2, 2)), right=np.ones((2, 2)))\n"
      "np.save('x.npy', np.ones((2, 2)))\n"
      "import zipfile; zipfile.ZipFile('empty.npz', 'w').close()");
  const auto open = [&](const char* name) { return [this, name] { open_source(path(name)); }; };
  EXPECT_THAT(open("two.npz"), ThrowsMessage<Error>(AllOf(HasSubstr("left, right"), HasSubstr("two.npz:NAME"))));
  EXPECT_THAT(open("two.npz:up"), ThrowsMessage<Error>(AllOf(HasSubstr("'up'"), HasSubstr("left, right"))));
  EXPECT_THAT(open("x.npy:up"), ThrowsMessage<Error>(HasSubstr("not an .npz archive")));
  EXPECT_THAT(open("empty.npz"), ThrowsMessage<Error>(HasSubstr("empty archive")));
  EXPECT_THAT(open("none.npz:up"), ThrowsMessage<Error>(HasSubstr("No such file")));
}

TEST_F(NpzTest, ReadsZip64AndArchivesWithComments) {
  python(R"(
import io, struct, zipfile
buffer = io.BytesIO()
np.save(buffer, np.arange(6, dtype='f4').reshape(2, 3))
data = buffer.getvalue()
with zipfile.ZipFile('comment.npz', 'w') as z:
    z.writestr('x.npy', data)
    z.comment = b'PK\x05\x06' * 10
with zipfile.ZipFile('streamed.npz', 'w') as z, z.open('x.npy', 'w', force_zip64=True) as f:
    f.write(data)

# A small archive whose directory uses every zip64 field, as those beyond 4 GB do (APPNOTE 4.3.14, 4.3.15, 4.5.3).
crc, size = zipfile.crc32(data), len(data)
local = struct.pack('<IHHHHHIIIHH', 0x04034b50, 45, 0, 0, 0, 0, crc, 0xffffffff, 0xffffffff, 5, 20)
local += b'x.npy' + struct.pack('<HHQQ', 1, 16, size, size) + data
other = struct.pack('<HH', 0x7075, 2) + b'??'   # an unrelated extra field before the one that matters
extra = other + struct.pack('<HHQQQ', 1, 24, size, size, 0)
entry = struct.pack('<IHHHHHHIIIHHHHHII', 0x02014b50, 45, 45, 0, 0, 0, 0, crc, 0xffffffff, 0xffffffff, 5, len(extra),
                    0, 0, 0, 0, 0xffffffff) + b'x.npy' + extra
end64 = struct.pack('<IQHHIIQQQQ', 0x06064b50, 44, 45, 45, 0, 0, 1, 1, len(entry), len(local))
locator = struct.pack('<IIQI', 0x07064b50, 0, len(local) + len(entry), 1)
end = struct.pack('<IHHHHIIH', 0x06054b50, 0, 0, 0xffff, 0xffff, 0xffffffff, 0xffffffff, 0)
open('zip64.npz', 'wb').write(local + entry + end64 + locator + end)
assert zipfile.ZipFile('zip64.npz').read('x.npy') == data
)");
  for (const char* name : {"comment.npz", "streamed.npz", "zip64.npz"}) {
    EXPECT_EQ(try_to_read(path(name)), first_numbers(6)) << name;
  }
  const std::string zip64 = content("zip64.npz");
  const std::size_t directory = zip64.find("PK\x01\x02");
  // Most bits of the directory matter; version, date, attributes and the other extra field (about a third) do not.
  EXPECT_GT(count_refused_flips(path("flip.npz"), zip64, directory, zip64.size()), 4 * (zip64.size() - directory));
}

TEST_F(NpzTest, EveryTruncationAndEveryFlippedDataBitIsRefused) {
  python(
      "x = np.arange(6, dtype='f4').reshape(2, 3)\n"
      "np.savez('stored.npz', x)\n"
      "np.savez_compressed('packed.npz', x)\n");
  for (const char* name : {"stored.npz", "packed.npz"}) {
    SCOPED_TRACE(name);
    const std::string bytes = content(name);
    expect_truncations_refused(path("cut.npz"), bytes);
    // Local header: 30 bytes, name "arr_0.npy", extra field; then the member, up to the directory.
    const std::size_t begin = 30 + 9 + static_cast<unsigned char>(bytes[28]);
    const std::size_t end = bytes.find("PK\x01\x02");
    // Bits after the end of a deflate stream mean nothing to it: at most the 7 that fill its last byte.
    EXPECT_GE(count_refused_flips(path("flip.npz"), bytes, begin, end), 8 * (end - begin) - 7);
    count_refused_flips(path("flip.npz"), bytes, 0, begin);
    count_refused_flips(path("flip.npz"), bytes, end, bytes.size());
  }
}

TEST_F(NpzTest, ADirectoryCannotPromiseMoreThanAMemberHolds) {
  python(R"(
import struct, zipfile
text = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 400000000), }\n"
header = b'\x93NUMPY\x01\x00' + struct.pack('<H', len(text)) + text
for name, method in [('stored.npz', zipfile.ZIP_STORED), ('packed.npz', zipfile.ZIP_DEFLATED)]:
    with zipfile.ZipFile(name, 'w', method) as z: z.writestr('x.npy', header)
    archive = bytearray(open(name, 'rb').read())
    struct.pack_into('<I', archive, archive.find(b'PK\x01\x02') + 24, len(header) + 1600000000)
    open(name, 'wb').write(archive)
)");
  for (const char* name : {"stored.npz", "packed.npz"}) {
    EXPECT_THAT([&] { open_source(path(name)); },
                ThrowsMessage<Error>(AllOf(HasSubstr(path(name) + ":x.npy"), HasSubstr("promises 16000000"),
                                           HasSubstr("hold at most"))));
  }
}

TEST_F(NpzTest, OtherCompressionsAreNamed) {
  python(R"(
import io, zipfile
buffer = io.BytesIO()
np.save(buffer, np.ones((2, 2)))
zipfile.ZipFile('lzma.npz', 'w', zipfile.ZIP_LZMA).writestr('x.npy', buffer.getvalue())
)");
  EXPECT_THAT([&] { open_source(path("lzma.npz")); },
              ThrowsMessage<Error>(AllOf(HasSubstr("method 14"), HasSubstr("numpy.savez"))));
}

}  // namespace
}  // namespace signfold

#include "signfold/source/npy.h"

#include <sys/mman.h>
#include <unistd.h>

#include "signfold/source/files_for_test.h"

namespace signfold {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class NpyTest : public SourceFiles {
 protected:
  /// (1, 1, …)
  static std::string ones(std::size_t axes) {
    std::string out = "(1";
    for (std::size_t i = 1; i < axes; ++i) out += ", 1";
    return out + ")";
  }
  /// A version 1 file of the given header dictionary and numbers.
  static std::string npy(const std::string& dict, const std::string& numbers, char version = 1) {
    std::string out = std::string("\x93NUMPY") + version + '\0';
    const std::size_t length = dict.size() + 1;
    for (int byte = 0; byte < (version == 1 ? 2 : 4); ++byte) out += static_cast<char>((length >> (8 * byte)) & 0xff);
    return out + dict + "\n" + numbers;
  }
  static std::string dict(const std::string& descr, const std::string& shape, const std::string& fortran = "False") {
    return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
  }
};

TEST_F(NpyTest, ReadsWhatNumPyWritesInEveryTypeOrderVersionAndShape) {
  python(R"(
rng = np.random.default_rng(5)
cases = open('cases.txt', 'w')
index = 0
for code in ['<f4', '>f4', '<f8', '>f8', '|u1', '|i1', '<i2', '>i2', '<i4', '>i4']:
    for shape in [(5,), (7, 3), (6, 2, 3), (4, 2, 3, 2), (1, 1), (3, 1), (1, 9)]:
        for order in 'CF':
            for version in [(1, 0), (2, 0), (3, 0)]:
                kind = np.dtype(code).kind
                if kind == 'f':
                    x = rng.normal(size=shape)
                else:
                    info = np.iinfo(code)
                    x = rng.integers(info.min, info.max, size=shape, endpoint=True)
                x = np.array(x, dtype=code, order=order)
                with open(f'{index}.npy', 'wb') as f:
                    np.lib.format.write_array(f, x, version=version)
                rows = 1 if len(shape) == 1 else shape[0]
                item = shape if len(shape) == 1 else shape[1:]
                x.astype('<f4').reshape(rows, -1, order='C').tofile(f'{index}.f32')
                print(index, rows, *item, file=cases)
                index += 1
cases.close()
)");
  std::ifstream cases(path("cases.txt"));
  std::string line;
  std::size_t count = 0;
  while (std::getline(cases, line)) {
    SCOPED_TRACE(line);
    std::istringstream words(line);
    std::string index;
    std::size_t rows = 0;
    words >> index >> rows;
    const std::vector<std::size_t> item{std::istream_iterator<std::size_t>(words), {}};
    const auto source = open_source(path(index + ".npy"));
    ASSERT_EQ(source->rows(), rows);
    EXPECT_EQ(source->item_shape(), item);
    const std::string expected = content(index + ".f32");
    for (const std::size_t block : {1, 2, 100}) {
      const Matrix<float> all = read_in_blocks(*source, block);
      ASSERT_EQ(all.size() * sizeof(float), expected.size());
      // Bytes, not tolerances: NumPy converts to float32 by the same rounding.
      EXPECT_EQ(std::memcmp(all.data(), expected.data(), expected.size()), 0);
      source->rewind();
    }
    ++count;
  }
  EXPECT_EQ(count, 10U * 7 * 2 * 3);
}

TEST_F(NpyTest, FilesLargerThanABlockOrAStripAreReadWhole) {
  python(R"(
x = (np.arange(3000 * 800) * 2654435761 % 2**32 / 2**32).astype('<f4').reshape(3000, 800)
np.save('c.npy', x)
np.save('f.npy', np.asfortranarray(x))
np.save('wide.npy', x.reshape(10, -1))
import gzip, shutil
shutil.copyfileobj(open('f.npy', 'rb'), gzip.open('f.npy.gz', 'wb', 1))
x.tofile('x.f32')
)");
  const std::string expected = content("x.f32");
  for (const char* name : {"c.npy", "f.npy", "wide.npy", "f.npy.gz"}) {
    const auto source = open_source(path(name));
    for (const std::size_t block : {1, 999}) {
      if (block == 1 && source->rows() > 10 && std::string(name) != "f.npy") continue;
      const Matrix<float> all = read_in_blocks(*source, block);
      ASSERT_EQ(all.size() * sizeof(float), expected.size());
      EXPECT_EQ(std::memcmp(all.data(), expected.data(), expected.size()), 0) << name;
      source->rewind();
    }
  }
}

TEST_F(NpyTest, EveryTruncationIsRefused) {
  python(
      "np.save('a.npy', np.arange(6, dtype='f4').reshape(2, 3))\n"
      "np.save('f.npy', np.asfortranarray(np.arange(6, dtype='f4').reshape(2, 3)))");
  for (const char* name : {"a.npy", "f.npy"}) {
    expect_truncations_refused(path("cut.npy"), content(name));
    EXPECT_FALSE(try_to_read(write("long.npy", content(name) + "x")));
  }
}

TEST_F(NpyTest, FlippedHeaderBitsNeverCrash) {
  python("np.save('a.npy', np.arange(6, dtype='f4').reshape(2, 3))");
  const std::string bytes = content("a.npy");
  // All flips of magic, version and length are refused, and nearly all of the rest (a blank may become another one).
  EXPECT_EQ(count_refused_flips(path("flip.npy"), bytes, 0, 10), 80U);
  EXPECT_GT(count_refused_flips(path("flip.npy"), bytes, 10, 128), 700U);
}

TEST_F(NpyTest, UnsupportedThingsAreNamed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {npy(dict("<f4", "()"), std::string(4, '\0')), "single number"},
      {npy(dict("<f4", "(0, 5)"), ""), "no vectors"},
      {npy(dict("<f4", "(5, 0)"), ""), "without coordinates"},
      {npy(dict("<f4", "(0,)"), ""), "without coordinates"},
      {npy(dict("<f4", "(5, 0)", "True"), ""), "without coordinates"},
      {npy(dict("<f4", "(0, 281474976710656)", "True"), ""), "no vectors"},
      {npy(dict("<c8", "(1, 1)"), std::string(8, '\0')), "'<c8'"},
      {npy(dict("|O", "(1, 1)"), std::string(8, '\0')), "'|O'"},
      {npy(dict("<u4", "(1, 1)"), std::string(4, '\0')), "astype('float32')"},
      {npy(dict("|f4", "(1, 1)"), std::string(4, '\0')), "'|f4'"},
      {npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", std::string(4, '\0')), "records"},
      {npy(dict("<f4", "(1, 1)"), std::string(4, '\0'), 4), "version 4.0"},
      {npy(dict("<f4", "(4294967296, 4294967296)"), ""), "2^48"},
      {npy(dict("<f4", "(4294967296, 4294967296)", "True"), ""), "2^48"},
      {npy(dict("<f4", "(99999999999999999999, 1)"), ""), "64 bits"},
      {npy(dict("<f4", "(281474976710656, 1)"), std::string(4, '\0')), "truncated"},
      {npy(dict("<f4", "(1, 1)"), std::string(5, '\0')), "1 bytes after"},
      {npy(dict("<f4", "(2, 1)"), std::string(5, '\0')), "truncated"},
      {npy(dict("<f4", ones(65), "True"), std::string(4, '\0')), "65 axes"},
  };
  for (const auto& [bytes, message] : cases) {
    const std::string file = write("x.npy", bytes);
    EXPECT_THAT([&] { open_source(file); }, ThrowsMessage<Error>(AllOf(HasSubstr(file), HasSubstr(message))));
  }
}

TEST_F(NpyTest, AsManyAxesAsNumPyHasAreRead) {
  EXPECT_TRUE(try_to_read(write("x.npy", npy(dict("<f4", ones(64), "True"), std::string(4, '\0')))));
}

TEST_F(NpyTest, CompressedFilesCannotPromiseMoreThanTheyHold) {
  for (const char* order : {"False", "True"}) {
    write("x.npy", npy(dict("<f4", "(1, 400000000)", order), ""));
    python("import gzip\nopen('x.npy.gz', 'wb').write(gzip.compress(open('x.npy', 'rb').read()))");
    EXPECT_THAT([&] { open_source(path("x.npy.gz")); },
                ThrowsMessage<Error>(
                    AllOf(HasSubstr(path("x.npy.gz")), HasSubstr("promises 16000000"), HasSubstr("hold at most"))));
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they stop the program instead of throwing
TEST_F(NpyTest, MoreColumnsThanMemoryAreAnError) {
  const std::uint64_t columns = std::uint64_t{1} << 46;  // more bytes than a file on most disks may have
  const std::string header = npy(dict("|u1", fmt::format("(1, {})", columns), "True"), "");
  const int file = ::memfd_create("columns", MFD_CLOEXEC);
  ASSERT_EQ(::write(file, header.data(), header.size()), static_cast<ssize_t>(header.size()));
  ASSERT_EQ(::ftruncate(file, static_cast<off_t>(header.size() + columns)), 0);
  EXPECT_THAT([&] { open_source(fmt::format("/proc/self/fd/{}", file)); },
              ThrowsMessage<Error>(HasSubstr("not enough memory")));
  ::close(file);
}
#endif

NpyHeader parse(const std::string& text) { return parse_npy_header("x.npy", text); }

TEST(NpyHeader, AcceptsTheWaysToWriteADictionary) {
  for (const char* text : {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }  \n",
                           R"({"shape":(3,4,),"fortran_order":False,"descr":"<f4"})",
                           " {  'fortran_order' : False , 'descr' : '<f4' , 'shape' : ( 3 , 4 ) } "}) {
    const NpyHeader header = parse(text);
    EXPECT_EQ(header.descr, "<f4");
    EXPECT_FALSE(header.fortran_order);
    EXPECT_THAT(header.shape, ElementsAre(3, 4));
  }
  EXPECT_THAT(parse("{'descr': '<f4', 'fortran_order': True, 'shape': (3,)}").shape, ElementsAre(3));
  EXPECT_TRUE(parse("{'descr': '<f4', 'fortran_order': True, 'shape': ()}").fortran_order);
}

TEST(NpyHeader, RefusesEverythingElse) {
  for (const char* text : {
           "", "{", "{}", "()", "{'descr': '<f4'}",                                    // incomplete
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)",                 // no end
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)} x",              // more
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3)}",                   // not a tuple
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3 4)}",                 // no comma
           "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",                   // no number
           "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}",                 // negative
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3.0,)}",                // not an integer
           "{'descr': '<f4', 'fortran_order': False, 'shape': [3, 4]}",                // a list
           "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}",                      // not a bool
           "{'descr': '<f4, 'fortran_order': False, 'shape': (3,)}",                   // open string
           "{'descr': '<f4' 'fortran_order': False, 'shape': (3,)}",                   // no comma
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'extra': 1}",      // unknown key
           "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",  // twice
       }) {
    EXPECT_THAT([&] { parse(text); }, ThrowsMessage<Error>(HasSubstr("x.npy"))) << text;
  }
}

}  // namespace
}  // namespace signfold

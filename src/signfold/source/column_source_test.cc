#include "signfold/source/column_source.h"

#include "signfold/source/files_for_test.h"

namespace signfold {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// Zeros of a length that only reading them tells.
class ZeroStream final : public ByteStream {
 public:
  ZeroStream(std::uint64_t length, std::uint64_t& consumed) : ByteStream("zeros"), length_(length), read_(consumed) {}
  std::size_t read(std::span<std::byte> bytes) override {
    const std::size_t got = std::min<std::uint64_t>(bytes.size(), length_ - read_);
    std::fill_n(bytes.begin(), got, std::byte{0});
    read_ += got;
    return got;
  }
  void rewind() override { read_ = 0; }
  std::optional<std::uint64_t> size() const override { return {}; }

 private:
  std::uint64_t length_;
  std::uint64_t& read_;
};

RowLayout ten_by_ten() {
  RowLayout layout;
  layout.format = "NPY";
  layout.offset = 128;
  layout.rows = 10;
  layout.item_shape = {10};
  layout.element = find_element('f', 4, ByteOrder::little);
  return layout;
}

TEST(ColumnSource, CopiesNoMoreThanTheHeaderPromises) {
  constexpr std::uint64_t promised = 128 + 4 * 10 * 10;
  std::uint64_t consumed = 0;
  const auto open = [&](std::uint64_t length) {
    return make_column_source(std::make_unique<ZeroStream>(length, consumed), ten_by_ten());
  };
  EXPECT_THAT([&] { open(50 << 20); }, ThrowsMessage<Error>(HasSubstr("has bytes after the last vector")));
  EXPECT_EQ(consumed, promised + 1);
  EXPECT_THAT([&] { open(promised + 1); }, ThrowsMessage<Error>(HasSubstr("has bytes after the last vector")));
  EXPECT_THAT([&] { open(promised - 1); }, ThrowsMessage<Error>(HasSubstr("is truncated")));
  EXPECT_EQ(read_all(*open(promised)).rows(), 10U);
}

}  // namespace
}  // namespace signfold

#include "signfold/source/row_source.h"

#include <algorithm>
#include <array>
#include <utility>

#include "signfold/base/error.h"

namespace signfold {
namespace {

constexpr std::size_t kBuffer = 1 << 16;  // bytes; a row may be longer, so that no header can ask for memory

class RowSource final : public Source {
 public:
  RowSource(std::unique_ptr<ByteStream> stream, RowLayout layout, std::size_t dim)
      : stream_(std::move(stream)), layout_(std::move(layout)), buffer_(std::max(kBuffer, layout_.prefix)) {
    describe(describe_array(stream_->path(), layout_, dim), layout_.rows, dim);
    do_rewind();
  }
  std::vector<std::size_t> item_shape() const override { return layout_.item_shape; }

 private:
  void do_rewind() override {
    stream_->rewind();
    for (std::uint64_t left = layout_.offset; left > 0;) {
      const std::size_t part = std::min<std::uint64_t>(left, buffer_.size());
      stream_->read_exactly({buffer_.data(), part}, "its header");
      left -= part;
    }
    row_ = 0;
  }

  void do_read(MatrixView<float> block) override {
    for (std::size_t i = 0; i < block.rows; ++i) read_row(block.row(i));
    if (row_ == rows()) stream_->expect_end("the last vector");
  }

  void read_row(std::span<float> out) {
    const std::span<std::byte> prefix(buffer_.data(), layout_.prefix);
    if (!prefix.empty()) {
      read_part(prefix);
      layout_.check_prefix(row_, prefix);
    }
    const Element& element = *layout_.element;
    const std::size_t numbers = buffer_.size() / element.size;
    for (std::size_t j = 0; j < out.size(); j += numbers) {
      const std::size_t count = std::min(numbers, out.size() - j);
      read_part({buffer_.data(), count * element.size});
      element.convert(buffer_.data(), count, &out[j], 1);
    }
    ++row_;
  }

  void read_part(std::span<std::byte> bytes) {
    if (stream_->read(bytes) != bytes.size()) {
      fail("{} is truncated: it ends inside vector {} of {}", stream_->path(), row_, rows());
    }
  }

  std::unique_ptr<ByteStream> stream_;
  RowLayout layout_;
  std::vector<std::byte> buffer_;
  std::uint64_t row_ = 0;
};

}  // namespace

std::uint64_t checked_product(const std::string& path, std::span<const std::size_t> sizes) {
  constexpr std::uint64_t limit = std::uint64_t{1} << 48;
  std::uint64_t product = 1;
  for (const std::size_t size : sizes) {
    if (size != 0 && product > limit / size) fail("{} declares more than 2^48 numbers: its header is damaged", path);
    product *= size;
  }
  return product;
}

std::uint64_t promised_bytes(const std::string& path, const RowLayout& layout) {
  const std::array<std::size_t, 2> shape = {checked_product(path, layout.item_shape), layout.rows};
  return layout.offset + layout.rows * layout.prefix + checked_product(path, shape) * layout.element->size;
}

std::size_t check_layout(const ByteStream& stream, const RowLayout& layout) {
  const std::uint64_t promised = promised_bytes(stream.path(), layout);
  const auto size = stream.size();
  if (size && *size < promised) {
    fail("{} is truncated: its header promises {} bytes, it has {}", stream.path(), promised, *size);
  }
  if (size && *size > promised) {
    fail("{} has {} bytes after the last vector: it is damaged, or not what it seems", stream.path(), *size - promised);
  }
  if (const auto most = stream.at_most(); most && *most < promised) {
    fail("{} is truncated or damaged: its header promises {} bytes, its compressed data can hold at most {}",
         stream.path(), promised, *most);
  }
  return checked_product(stream.path(), layout.item_shape);
}

std::unique_ptr<Source> make_row_source(std::unique_ptr<ByteStream> stream, RowLayout layout) {
  const std::size_t dim = check_layout(*stream, layout);
  return std::make_unique<RowSource>(std::move(stream), std::move(layout), dim);
}

std::string describe_array(const std::string& path, const RowLayout& layout, std::size_t dim) {
  return fmt::format("{} ({}, {}, {} x {})", path, layout.format, layout.element->name, layout.rows, dim);
}

}  // namespace signfold

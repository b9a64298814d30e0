#include "signfold/source/column_source.h"

#include <algorithm>
#include <utility>

#include "signfold/base/error.h"

namespace signfold {
namespace {

/// For every column of the file (trailing axes in Fortran order), its place in a vector (trailing axes in C order).
Matrix<std::size_t> column_places(std::span<const std::size_t> shape, std::size_t dim) {
  std::vector<std::size_t> strides(shape.size(), 1);  // of the C order
  for (std::size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  Matrix<std::size_t> places(1, dim);
  std::vector<std::size_t> index(shape.size(), 0);
  for (std::size_t& place : places.values()) {
    for (std::size_t axis = 0; axis < shape.size(); ++axis) place += index[axis] * strides[axis];
    for (std::size_t axis = 0; axis < shape.size() && ++index[axis] == shape[axis]; ++axis) index[axis] = 0;
  }
  return places;
}

class ColumnSource final : public Source {
 public:
  ColumnSource(std::unique_ptr<FileStream> stream, RowLayout layout, std::size_t dim)
      : stream_(std::move(stream)), layout_(std::move(layout)) {
    describe(describe_array(stream_->path(), layout_, dim), layout_.rows, dim);
    // Not earlier: the sizes of an array without vectors are bounded by nothing that the file has.
    places_ = column_places(layout_.item_shape, dim);
    // 8 MB: long enough runs per column for a disk, small enough for the cache. At least 16 rows when dim is huge.
    const std::size_t strip_rows = std::max<std::size_t>(16, (8 << 20) / sizeof(float) / dim);
    strip_ = Matrix<float>(std::min<std::uint64_t>(strip_rows, rows()), dim);
    run_.resize(strip_.rows() * layout_.element->size);
  }
  std::vector<std::size_t> item_shape() const override { return layout_.item_shape; }

 private:
  void do_rewind() override { strip_begin_ = strip_end_ = row_ = 0; }

  void do_read(MatrixView<float> block) override {
    for (std::size_t i = 0; i < block.rows; ++i, ++row_) {
      if (row_ == strip_end_) load_strip();
      std::ranges::copy(strip_.row(row_ - strip_begin_), block.row(i).begin());
    }
  }

  void load_strip() {
    strip_begin_ = strip_end_;
    const std::size_t count = std::min<std::uint64_t>(strip_.rows(), rows() - strip_begin_);
    const std::size_t width = layout_.element->size;
    const std::span<std::byte> run(run_.data(), count * width);
    for (std::size_t column = 0; column < dim(); ++column) {
      stream_->seek(layout_.offset + (column * rows() + strip_begin_) * width);
      stream_->read_exactly(run, "the array");
      layout_.element->convert(run.data(), count, strip_.data() + places_(0, column), dim());
    }
    strip_end_ = strip_begin_ + count;
  }

  std::unique_ptr<FileStream> stream_;
  RowLayout layout_;
  Matrix<std::size_t> places_;
  Matrix<float> strip_;  ///< rows [strip_begin_, strip_end_)
  std::vector<std::byte> run_;
  std::uint64_t strip_begin_ = 0;
  std::uint64_t strip_end_ = 0;
  std::uint64_t row_ = 0;
};

}  // namespace

std::unique_ptr<Source> make_column_source(std::unique_ptr<ByteStream> stream, RowLayout layout) {
  check_layout(*stream, layout);  // before anything is copied
  const std::uint64_t promised = promised_bytes(stream->path(), layout);
  std::unique_ptr<FileStream> seekable = make_seekable(std::move(stream), promised, "the last vector");
  const std::size_t dim = check_layout(*seekable, layout);
  return std::make_unique<ColumnSource>(std::move(seekable), std::move(layout), dim);
}

}  // namespace signfold

#include "signfold/source/source.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"

namespace signfold {
namespace {

bool all_finite(std::span<const float> values) {
  constexpr std::uint32_t exponent = 0x7f800000;
  std::uint32_t bad = 0;  // no early exit: the loop stays free of branches
  for (const float v : values)
    bad |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(v) & exponent) == exponent);
  return bad == 0;
}

[[noreturn]] void fail_not_finite(const std::string& description, std::uint64_t row, std::span<const float> values) {
  const auto bad = std::ranges::find_if(values, [](float v) { return !all_finite({&v, 1}); });
  fail("{}: row {}, column {} holds {}, not a finite float32 number (both count from 0); remove or replace it",
       description, row, bad - values.begin(), *bad);
}

class MatrixSource final : public Source {
 public:
  MatrixSource(MatrixView<const float> x, std::string description) : x_(x) {
    describe(std::move(description), x.rows, x.cols);
  }

 private:
  void do_read(MatrixView<float> block) override {
    for (std::size_t i = 0; i < block.rows; ++i) std::ranges::copy(x_.row(next_++), block.row(i).begin());
  }
  void do_rewind() override { next_ = 0; }

  MatrixView<const float> x_;
  std::size_t next_ = 0;
};

/// Linux promises more memory than it has; asking the machine is kinder than being killed.
void check_fits_in_memory(const Source& source, std::uint64_t rows) {
  const double wanted = static_cast<double>(rows) * static_cast<double>(source.dim()) * sizeof(float);
  const double memory = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  if (wanted > memory) {
    fail("{} does not fit in memory: {:.1f} GB are needed, the machine has {:.1f} GB; use fewer rows",
         source.description(), wanted / 1e9, memory / 1e9);
  }
}

}  // namespace

void Source::describe(std::string description, std::uint64_t rows, std::size_t dim) {
  if (rows == 0) fail("{} holds no vectors", description);
  if (dim == 0) fail("{} holds vectors without coordinates", description);
  description_ = std::move(description);
  rows_ = rows;
  dim_ = dim;
}

std::size_t Source::read(MatrixView<float> block) {
  if (block.cols != dim_) fail("{}: vectors of {} coordinates were asked for", description_, block.cols);
  throw_if_interrupted();
  const std::size_t count = std::min<std::uint64_t>(block.rows, rows_ - next_row_);
  do_read(block.row_range(0, count));
  for (std::size_t i = 0; i < count; ++i) {
    if (!all_finite(block.row(i))) fail_not_finite(description_, next_row_ + i, block.row(i));
  }
  next_row_ += count;
  return count;
}

void Source::rewind() {
  do_rewind();
  next_row_ = 0;
}

std::unique_ptr<Source> matrix_source(MatrixView<const float> x, std::string description) {
  return std::make_unique<MatrixSource>(x, std::move(description));
}

Matrix<float> read_all(Source& source, std::uint64_t max_rows) {
  const std::uint64_t rows = source.rows();
  const std::uint64_t kept = std::min(rows, max_rows);
  check_fits_in_memory(source, kept);
  Matrix<float> all(kept, source.dim());
  source.rewind();
  const std::size_t block_rows = std::max<std::size_t>(1, (1 << 20) / source.dim());
  if (kept == rows) {
    for (std::uint64_t done = 0; done < rows;) {  // in blocks: an interrupt is looked for between them
      done += source.read(all.view().row_range(done, std::min<std::uint64_t>(block_rows, rows - done)));
    }
    return all;
  }
  Matrix<float> block(std::min<std::uint64_t>(block_rows, rows), source.dim());
  std::uint64_t begin = 0;
  std::uint64_t next = 0;  // row of `all`
  while (const std::size_t count = source.read(block)) {
    for (; next < kept; ++next) {
      const auto row = static_cast<std::uint64_t>(static_cast<long double>(next) * rows / kept);
      if (row >= begin + count) break;
      std::ranges::copy(block.row(row - begin), all.row(next).begin());
    }
    begin += count;
  }
  return all;
}

}  // namespace signfold

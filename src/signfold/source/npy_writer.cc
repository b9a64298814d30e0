#include "signfold/source/npy_writer.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "signfold/base/endian.h"
#include "signfold/base/error.h"

namespace signfold {
namespace {

/// Magic, version 1.0, header length, header; padded so that the numbers start at a multiple of 64, as NumPy does.
std::string npy_header(std::uint64_t rows, std::size_t dim) {
  std::string dict = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, dim);
  constexpr std::size_t before = 10;
  const std::size_t total = (before + dict.size() + 1 + 63) / 64 * 64;
  dict.append(total - before - dict.size() - 1, ' ');
  dict += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dict.size() & 0xff);
  header += static_cast<char>(dict.size() >> 8);
  return header + dict;
}

}  // namespace

NpyWriter::NpyWriter(const std::string& path, std::uint64_t rows, std::size_t dim)
    : owned_(std::make_unique<AtomicFile>(path)), out_(*owned_), rows_(rows), dim_(dim) {
  write_header();
}

NpyWriter::NpyWriter(Output& out, std::uint64_t rows, std::size_t dim) : out_(out), rows_(rows), dim_(dim) {
  write_header();
}

void NpyWriter::write_header() {
  const std::string header = npy_header(rows_, dim_);
  out_.write(std::as_bytes(std::span(header)));
}

void NpyWriter::write(MatrixView<const float> block) {
  if (block.cols != dim_) fail("{}: rows of {} numbers given, {} announced", out_.path(), block.cols, dim_);
  if (block.rows > rows_ - written_) fail("{}: more than the {} rows announced", out_.path(), rows_);
  std::vector<std::byte> bytes(dim_ * sizeof(float));
  for (std::size_t i = 0; i < block.rows; ++i) {
    const auto row = block.row(i);
    for (std::size_t j = 0; j < dim_; ++j) store(row[j], &bytes[j * sizeof(float)], ByteOrder::little);
    out_.write(bytes);
  }
  written_ += block.rows;
}

void NpyWriter::commit() {
  if (written_ != rows_) fail("{}: {} rows written, {} announced", out_.path(), written_, rows_);
  out_.commit();
}

}  // namespace signfold

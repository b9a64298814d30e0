#include "signfold/codec/code_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/hash.h"
#include "signfold/codec/bytes.h"
#include "signfold/codec/half.h"
#include "signfold/codec/magic.h"

namespace signfold {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kStages = 1;
constexpr std::uint32_t kHeaderSize = 72;
constexpr std::uint64_t kTrailerSize = 16;
constexpr std::string_view kEndMagic = "SFOLDEND";
constexpr unsigned kScalePlane = 0;
constexpr unsigned kBitPlane = 1;

constexpr std::uint64_t kLargestCount = std::uint64_t{1} << 40;
constexpr std::uint64_t kLargestSide = std::uint64_t{1} << 28;
constexpr std::uint64_t kBlockTarget = std::uint64_t{1} << 20;  // bytes a writer aims at
constexpr std::uint64_t kBlockLimit = std::uint64_t{1} << 24;   // bytes a reader accepts, unless one row has more
constexpr std::uint32_t kMostRows = 4096;

std::uint64_t row_bytes(const CodeHeader& h) { return code_bytes(h.bits) + scale_bytes(h.scale); }

/// Bytes of a block of so many rows: row count, two planes, two checksums.
std::uint64_t block_size(const CodeHeader& h, std::uint64_t rows) {
  return 8 + padded(rows * scale_bytes(h.scale)) + 8 + padded(rows * code_bytes(h.bits)) + 8;
}

std::uint64_t file_size(const CodeHeader& h) {
  const std::uint64_t last = h.count % h.block_rows;
  return kHeaderSize + h.count / h.block_rows * block_size(h, h.block_rows) + (last > 0 ? block_size(h, last) : 0) +
         kTrailerSize;
}

/// The checksum of a plane depends on its place, so that planes cannot change places unnoticed.
std::uint64_t plane_hash(std::span<const std::byte> plane, std::uint64_t block, unsigned index) {
  return hash64(plane, block * 256 + index);
}

/// Every product in block_size and file_size stays below 2^64 within these limits.
void check_header(const CodeHeader& h) {
  if (h.dim == 0 || h.dim > kLargestSide || h.bits == 0 || h.bits > kLargestSide) {
    fail("dimension {} or bits {} is not between 1 and {}", h.dim, h.bits, kLargestSide);
  }
  if (h.count > kLargestCount) fail("{} vectors are more than {}", h.count, kLargestCount);
  if (h.block_rows == 0 || (h.block_rows > 1 && h.block_rows * row_bytes(h) > kBlockLimit) ||
      h.count > (std::uint64_t{1} << 62) / row_bytes(h)) {
    fail("blocks of {} vectors, {} vectors in all, are too large", h.block_rows, h.count);
  }
}

std::vector<std::byte> to_bytes(const CodeHeader& h) {
  std::vector<std::byte> out;
  std::ranges::copy(bytes_of(kCodeMagic), std::back_inserter(out));
  append(out, kVersion);
  append(out, kHeaderSize);
  append(out, kStages);
  append(out, h.fingerprint);
  append(out, h.count);
  append(out, h.dim);
  append(out, h.block_rows);
  append(out, static_cast<std::uint32_t>(h.scale));
  append(out, h.bits);  // the stage table: bits of each stage
  append(out, hash64(out));
  return out;
}

CodeHeader from_bytes(std::span<const std::byte> bytes) {
  if (file_kind(bytes) != FileKind::codes) fail("not a Signfold code file: it is {}", describe_start(bytes));
  if (bytes.size() < kHeaderSize) fail("truncated: it ends inside its header");
  const auto version = number_at<std::uint32_t>(bytes, 12);
  if (version != kVersion) fail("of version {}; this program reads version {}", version, kVersion);
  const auto stages = number_at<std::uint32_t>(bytes, 20);
  if (stages != kStages || number_at<std::uint32_t>(bytes, 16) != kHeaderSize) {
    fail("made of {} stages; this program reads files of one", stages);
  }
  if (number_at<std::uint64_t>(bytes, kHeaderSize - 8) != hash64(bytes.first(kHeaderSize - 8))) {
    fail("damaged: the checksum of its header is wrong");
  }
  CodeHeader h;
  h.fingerprint = number_at<std::uint64_t>(bytes, 24);
  h.count = number_at<std::uint64_t>(bytes, 32);
  h.dim = number_at<std::uint64_t>(bytes, 40);
  h.block_rows = number_at<std::uint32_t>(bytes, 48);
  const auto scale = number_at<std::uint32_t>(bytes, 52);
  if (scale > static_cast<std::uint32_t>(ScaleKind::f32)) fail("damaged: its scale kind is {}", scale);
  h.scale = static_cast<ScaleKind>(scale);
  h.bits = number_at<std::uint64_t>(bytes, 56);
  check_header(h);
  return h;
}

void append_scale(std::vector<std::byte>& out, ScaleKind kind, float scale) {
  if (kind == ScaleKind::f32) {
    append(out, scale);
  } else {
    append(out, to_half(scale));
  }
}

float scale_at(std::span<const std::byte> plane, ScaleKind kind, std::size_t row) {
  return kind == ScaleKind::f32 ? number_at<float>(plane, row * 4)
                                : from_half(number_at<std::uint16_t>(plane, row * 2));
}

bool valid_scale(float scale, ScaleKind kind) {
  return scale >= 0 && std::isfinite(kind == ScaleKind::f16 ? from_half(to_half(scale)) : scale);
}

}  // namespace

CodeWriter::CodeWriter(const std::string& path, const CodeHeader& header) : file_(path), header_(header) {
  header_.count = 0;
  if (header_.block_rows == 0) {
    header_.block_rows = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(kBlockTarget / std::max<std::uint64_t>(1, row_bytes(header_)), 1, kMostRows));
  }
  check_header(header_);
  file_.write(to_bytes(header_));
}

void CodeWriter::write(MatrixView<const std::uint8_t> codes, std::span<const float> scales) {
  const bool scaled = header_.scale != ScaleKind::none;
  if (codes.cols != code_bytes(header_.bits) || scales.size() != (scaled ? codes.rows : 0)) {
    fail("{}: {} codes of {} bytes with {} scales do not fit codes of {} bits with scale {}", file_.path(), codes.rows,
         codes.cols, scales.size(), header_.bits, to_string(header_.scale));
  }
  for (std::size_t i = 0; i < codes.rows; ++i) {
    if (scaled) {
      if (!valid_scale(scales[i], header_.scale)) {
        fail("{}: the scale {} of vector {} cannot be stored as {}", file_.path(), scales[i], header_.count + i,
             to_string(header_.scale));
      }
      append_scale(scales_, header_.scale, scales[i]);
    }
    const auto code = std::as_bytes(codes.row(i));
    codes_.insert(codes_.end(), code.begin(), code.end());
    if (++rows_ == header_.block_rows) flush();
  }
}

void CodeWriter::flush() {
  std::vector<std::byte> count;
  append(count, std::uint64_t{rows_});
  file_.write(count);
  for (auto* plane : {&scales_, &codes_}) {
    plane->resize(padded(plane->size()));
    const std::uint64_t hash = plane_hash(*plane, blocks_, plane == &scales_ ? kScalePlane : kBitPlane);
    append(*plane, hash);
    file_.write(*plane);
    plane->clear();
  }
  header_.count += std::exchange(rows_, 0);
  ++blocks_;
}

void CodeWriter::commit() {
  if (rows_ > 0) flush();
  std::vector<std::byte> trailer;
  append(trailer, header_.count);
  std::ranges::copy(bytes_of(kEndMagic), std::back_inserter(trailer));
  file_.write(trailer);
  file_.rewrite(0, to_bytes(header_));
  file_.commit();
}

CodeReader::CodeReader(const std::string& path) : file_(path) {
  std::array<std::byte, kHeaderSize> bytes{};
  const std::size_t got = file_.read(bytes);
  try {
    header_ = from_bytes(std::span(bytes).first(got));
  } catch (const Error& e) {
    fail("{} is {}", path, e.what());
  }
  const std::uint64_t size = file_size(header_);
  if (file_.size() < size) fail("{} is truncated: it has {} bytes of {}", path, file_.size(), size);
  if (file_.size() > size) fail("{} is damaged: {} bytes follow its end", path, file_.size() - size);
  std::array<std::byte, kTrailerSize> trailer{};
  file_.seek(size - kTrailerSize);
  file_.read_exactly(trailer, "its trailer");
  if (number_at<std::uint64_t>(trailer, 0) != header_.count ||
      text_of(std::span<const std::byte>(trailer).subspan(8)) != kEndMagic) {
    fail("{} is damaged: its end does not match its header", path);
  }
  file_.seek(kHeaderSize);
}

std::vector<std::byte> CodeReader::read_plane(std::uint64_t size, unsigned plane) {
  std::vector<std::byte> bytes(padded(size) + 8);
  file_.read_exactly(bytes, "a block");
  const std::span<const std::byte> content = std::span(bytes).first(bytes.size() - 8);
  if (number_at<std::uint64_t>(bytes, content.size()) != plane_hash(content, block_, plane)) {
    fail("{} is damaged: the checksum of plane {} of block {} is wrong", path(), plane, block_);
  }
  return bytes;
}

CodeBlock CodeReader::read_block() {
  const std::uint64_t before = block_ * header_.block_rows;
  if (before >= header_.count) return {};
  CodeBlock block;
  block.rows = std::min<std::uint64_t>(header_.block_rows, header_.count - before);
  std::array<std::byte, 8> rows{};
  file_.read_exactly(rows, "a block");
  if (number_at<std::uint64_t>(rows, 0) != block.rows) {
    fail("{} is damaged: block {} does not hold {} vectors", path(), block_, block.rows);
  }
  const std::vector<std::byte> scales = read_plane(block.rows * scale_bytes(header_.scale), kScalePlane);
  const std::vector<std::byte> codes = read_plane(block.rows * code_bytes(header_.bits), kBitPlane);
  block.codes = Matrix<std::uint8_t>(block.rows, code_bytes(header_.bits));
  std::memcpy(block.codes.data(), codes.data(), block.codes.size());
  if (header_.scale != ScaleKind::none) {
    block.scales.resize(block.rows);
    for (std::size_t i = 0; i < block.rows; ++i) {
      block.scales[i] = scale_at(scales, header_.scale, i);
      if (!valid_scale(block.scales[i], header_.scale)) {
        fail("{} is damaged: the scale of vector {} is {}", path(), before + i, block.scales[i]);
      }
    }
  }
  ++block_;
  return block;
}

}  // namespace signfold

#include "signfold/codec/code_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "signfold/base/bits.h"
#include "signfold/base/error.h"
#include "signfold/base/hash.h"
#include "signfold/codec/bytes.h"
#include "signfold/codec/half.h"
#include "signfold/codec/magic.h"

namespace signfold {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kFixedHeader = 64;  // bytes, without the stage table
constexpr std::uint64_t kTrailerSize = 16;
constexpr std::string_view kEndMagic = "SFOLDEND";
constexpr unsigned kScalePlane = 0;
constexpr unsigned kBitPlane = 1;  // of the first stage; those of others follow

constexpr std::uint64_t kLargestCount = std::uint64_t{1} << 40;
constexpr std::uint64_t kLargestSide = std::uint64_t{1} << 28;
constexpr std::uint64_t kBlockTarget = std::uint64_t{1} << 20;  // bytes a writer aims at
constexpr std::uint64_t kBlockLimit = std::uint64_t{1} << 24;   // bytes a reader accepts, unless one row has more
constexpr std::uint32_t kMostRows = 4096;

std::uint64_t row_bytes(const CodeHeader& h) { return code_bytes(h.bits) + scale_bytes(h.scale); }

std::uint64_t header_size(std::size_t stages) { return kFixedHeader + 8 * stages; }
std::uint64_t header_size(const CodeHeader& h) { return header_size(stages_of(h).size()); }

/// The place of a vector's bits in a plane. Codes in stages share bytes, so that a prefix takes no more than its bits.
std::uint64_t first_bit(const CodeHeader& h, std::uint64_t row, std::size_t bits) {
  return row * (h.staged ? bits : 8 * code_bytes(bits));
}
std::uint64_t plane_size(const CodeHeader& h, std::uint64_t rows, std::size_t bits) {
  return code_bytes(first_bit(h, rows, bits));
}

/// Whether bits are set from `end` on in its byte.
bool any_behind(std::span<const std::uint8_t> plane, std::uint64_t end) {
  return end % 8 != 0 && plane[end / 8] >> end % 8 != 0;
}

/// Bytes of a block of so many rows: row count, a plane of scales, one for each stage, checksums.
std::uint64_t block_size(const CodeHeader& h, std::uint64_t rows) {
  std::uint64_t size = 8 + padded(rows * scale_bytes(h.scale)) + 8;
  for (const std::size_t bits : stages_of(h)) size += padded(plane_size(h, rows, bits)) + 8;
  return size;
}

std::uint64_t file_size(const CodeHeader& h) {
  const std::uint64_t last = h.count % h.block_rows;
  return header_size(h) + h.count / h.block_rows * block_size(h, h.block_rows) + (last > 0 ? block_size(h, last) : 0) +
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
  check_stage_bits(stages_of(h));
  if (h.stages.size() > 1 && !h.staged) fail("made of {} stages, but not of a staged code", h.stages.size());
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
  append(out, static_cast<std::uint32_t>(header_size(h)));
  append(out, static_cast<std::uint32_t>(stages_of(h).size()));
  append(out, h.fingerprint);
  append(out, h.count);
  append(out, h.dim);
  append(out, h.block_rows);
  append(out, static_cast<std::uint16_t>(h.scale));
  append(out, std::uint16_t{h.staged});
  for (const std::size_t bits : stages_of(h)) append(out, std::uint64_t{bits});
  append(out, hash64(out));
  return out;
}

/// How many bytes the header has, from those that say so.
std::size_t size_of_header(std::span<const std::byte> bytes) {
  if (file_kind(bytes) != FileKind::codes) fail("not a Signfold code file: it is {}", describe_start(bytes));
  if (bytes.size() < kFixedHeader) fail("truncated: it ends inside its header");
  const auto version = number_at<std::uint32_t>(bytes, 12);
  if (version != kVersion) fail("of version {}; this program reads version {}", version, kVersion);
  const auto stages = number_at<std::uint32_t>(bytes, 20);
  if (stages == 0 || stages > kMostStages) fail("damaged: it is made of {} stages", stages);
  if (number_at<std::uint32_t>(bytes, 16) != header_size(stages)) fail("damaged: its header has an impossible length");
  return header_size(stages);
}

/// Of the whole header.
CodeHeader from_bytes(std::span<const std::byte> bytes) {
  const std::size_t size = size_of_header(bytes);
  if (bytes.size() < size) fail("truncated: it ends inside its header");
  if (number_at<std::uint64_t>(bytes, size - 8) != hash64(bytes.first(size - 8))) {
    fail("damaged: the checksum of its header is wrong");
  }
  CodeHeader h;
  h.fingerprint = number_at<std::uint64_t>(bytes, 24);
  h.count = number_at<std::uint64_t>(bytes, 32);
  h.dim = number_at<std::uint64_t>(bytes, 40);
  h.block_rows = number_at<std::uint32_t>(bytes, 48);
  const auto scale = number_at<std::uint16_t>(bytes, 52);
  if (scale > static_cast<std::uint16_t>(ScaleKind::f32)) fail("damaged: its scale kind is {}", scale);
  h.scale = static_cast<ScaleKind>(scale);
  const auto staged = number_at<std::uint16_t>(bytes, 54);
  if (staged > 1) fail("damaged: its kind of stages is {}", staged);
  h.staged = staged == 1;
  for (std::size_t at = 56; at < size - 8; at += 8) {
    h.stages.push_back(number_at<std::uint64_t>(bytes, at));
    if (h.stages.back() > kLargestSide)
      fail("damaged: a stage of {} bits is not between 1 and {}", h.stages.back(), kLargestSide);
    h.bits += h.stages.back();
  }
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

std::vector<std::size_t> stages_of(const CodeHeader& header) {
  return header.stages.empty() ? std::vector<std::size_t>{header.bits} : header.stages;
}

std::size_t bits_per_vector(const CodeHeader& header) { return stored_bits(header.bits, header.staged, header.scale); }

CodeWriter::CodeWriter(const std::string& path, CodeHeader header)
    : file_(std::make_unique<AtomicFile>(path)), out_(*file_), header_(std::move(header)) {
  header_.count = 0;
  start();
}

CodeWriter::CodeWriter(Output& out, CodeHeader header) : out_(out), header_(std::move(header)) { start(); }

void CodeWriter::start() {
  if (header_.block_rows == 0) {
    header_.block_rows = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(kBlockTarget / std::max<std::uint64_t>(1, row_bytes(header_)), 1, kMostRows));
  }
  check_header(header_);
  codes_.resize(stages_of(header_).size());
  out_.write(to_bytes(header_));
}

void CodeWriter::write(MatrixView<const std::uint8_t> codes, std::span<const float> scales) {
  const bool scaled = header_.scale != ScaleKind::none;
  if (codes.cols != code_bytes(header_.bits) || scales.size() != (scaled ? codes.rows : 0)) {
    fail("{}: {} codes of {} bytes with {} scales do not fit codes of {} bits with scale {}", out_.path(), codes.rows,
         codes.cols, scales.size(), header_.bits, to_string(header_.scale));
  }
  const std::vector<std::size_t> stages = stages_of(header_);
  for (std::size_t i = 0; i < codes.rows; ++i) {
    if (scaled) {
      if (!valid_scale(scales[i], header_.scale)) {
        fail("{}: the scale {} of vector {} cannot be stored as {}", out_.path(), scales[i], written_ + rows_,
             to_string(header_.scale));
      }
      append_scale(scales_, header_.scale, scales[i]);
    }
    std::size_t before = 0;
    for (std::size_t s = 0; s < stages.size(); ++s) {
      codes_[s].resize(plane_size(header_, rows_ + 1, stages[s]));
      copy_bits(codes.row(i), before, stages[s], codes_[s], first_bit(header_, rows_, stages[s]));
      before += stages[s];
    }
    if (++rows_ == header_.block_rows) flush();
  }
}

void CodeWriter::flush() {
  std::vector<std::byte> count;
  append(count, std::uint64_t{rows_});
  out_.write(count);
  const auto write_plane = [&](auto& plane, unsigned index) {
    plane.resize(padded(plane.size()));
    std::vector<std::byte> checksum;
    append(checksum, plane_hash(std::as_bytes(std::span(plane)), blocks_, index));
    out_.write(std::as_bytes(std::span(plane)));
    out_.write(checksum);
    plane.clear();
  };
  write_plane(scales_, kScalePlane);
  for (std::size_t s = 0; s < codes_.size(); ++s) write_plane(codes_[s], kBitPlane + static_cast<unsigned>(s));
  written_ += std::exchange(rows_, 0);
  ++blocks_;
}

void CodeWriter::commit() {
  if (rows_ > 0) flush();
  if (file_ == nullptr && written_ != header_.count) {
    fail("{}: {} vectors written, {} announced", out_.path(), written_, header_.count);
  }
  header_.count = written_;
  std::vector<std::byte> trailer;
  append(trailer, header_.count);
  std::ranges::copy(bytes_of(kEndMagic), std::back_inserter(trailer));
  out_.write(trailer);
  if (file_ != nullptr) file_->rewrite(0, to_bytes(header_));
  out_.commit();
}

CodeReader::CodeReader(const std::string& path) {
  auto file = std::make_unique<InputFile>(path);
  file_ = file.get();
  input_ = std::move(file);
  read_header();
  const std::uint64_t size = file_size(stored_);
  if (file_->size() < size) fail("{} is truncated: it has {} bytes of {}", path, file_->size(), size);
  if (file_->size() > size) fail("{} is damaged: {} bytes follow its end", path, file_->size() - size);
  file_->seek(size - kTrailerSize);
  check_trailer();
  file_->seek(header_size(stored_));
}

CodeReader::CodeReader(std::unique_ptr<Input> stream) : input_(std::move(stream)) {
  read_header();
  if (header_.count == 0) check_trailer();
}

void CodeReader::read_header() {
  std::vector<std::byte> bytes(kFixedHeader);
  bytes.resize(input_->read(bytes));
  try {
    const std::size_t size = size_of_header(bytes);
    bytes.resize(size);
    bytes.resize(kFixedHeader + input_->read(std::span(bytes).subspan(kFixedHeader)));
    stored_ = header_ = from_bytes(bytes);
  } catch (const Error& e) {
    fail("{} is {}", path(), e.what());
  }
}

/// The input stands before the trailer.
void CodeReader::check_trailer() {
  std::array<std::byte, kTrailerSize + 1> bytes{};
  const std::size_t got = input_->read(bytes);
  if (got < kTrailerSize) fail("{} is truncated: it ends inside its trailer", path());
  const std::span<const std::byte> trailer = std::span(bytes).first(kTrailerSize);
  if (number_at<std::uint64_t>(trailer, 0) != header_.count || text_of(trailer.subspan(8)) != kEndMagic) {
    fail("{} is damaged: its end does not match its header", path());
  }
  if (got > kTrailerSize) fail("{} is damaged: bytes follow its end", path());
}

void CodeReader::keep_stages(std::size_t stages) {
  const std::vector<std::size_t> all = stages_of(stored_);
  if (stages == 0 || stages > all.size()) {
    fail("{} has {} stage{}: {} of them cannot be taken", path(), all.size(), all.size() == 1 ? "" : "s", stages);
  }
  header_.stages.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(stages));
  header_.bits = std::accumulate(header_.stages.begin(), header_.stages.end(), std::uint64_t{0});
}

std::vector<std::byte> CodeReader::read_plane(std::uint64_t size, unsigned plane) {
  std::vector<std::byte> bytes = input_->read_bytes(padded(size) + 8, "a block");
  const std::span<const std::byte> content = std::span(bytes).first(bytes.size() - 8);
  if (number_at<std::uint64_t>(bytes, content.size()) != plane_hash(content, block_, plane)) {
    fail("{} is damaged: the checksum of plane {} of block {} is wrong", path(), plane, block_);
  }
  return bytes;
}

/// The planes of all stages; those that are kept go to the codes.
void CodeReader::read_stages(MatrixView<std::uint8_t> codes) {
  const std::vector<std::size_t> all = stages_of(stored_);
  const std::size_t kept = stages_of(header_).size();
  std::size_t before = 0;
  for (std::size_t s = 0; s < all.size(); ++s) {
    const std::uint64_t size = plane_size(stored_, codes.rows, all[s]);
    if (s >= kept) {
      if (file_ != nullptr) return go_to_block(block_ + 1);
      input_->read_bytes(padded(size) + 8, "a block");
      continue;
    }
    const std::vector<std::byte> plane = read_plane(size, kBitPlane + static_cast<unsigned>(s));
    const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(plane.data()), size);
    for (std::size_t i = 0; i < codes.rows; ++i) {
      const std::uint64_t first = first_bit(stored_, i, all[s]);
      copy_bits(bytes, first, all[s], codes.row(i), before);
      if ((!stored_.staged || i + 1 == codes.rows) && any_behind(bytes, first + all[s])) {
        fail("{} is damaged: bits are set behind code {} of block {}", path(), i, block_);
      }
    }
    before += all[s];
  }
}

/// Of a file: reads on there. Beyond the last block: at the trailer, or before it.
void CodeReader::go_to_block(std::uint64_t block) {
  file_->seek(header_size(stored_) + std::min(block * block_size(stored_, stored_.block_rows),
                                              file_size(stored_) - header_size(stored_) - kTrailerSize));
}

/// The next block as it lies in the file; rows = 0 at the end.
CodeBlock CodeReader::read_whole_block() {
  const std::uint64_t before = block_ * header_.block_rows;
  if (before >= header_.count) return {};
  CodeBlock block;
  block.rows = std::min<std::uint64_t>(header_.block_rows, header_.count - before);
  std::array<std::byte, 8> rows{};
  input_->read_exactly(rows, "a block");
  if (number_at<std::uint64_t>(rows, 0) != block.rows) {
    fail("{} is damaged: block {} does not hold {} vectors", path(), block_, block.rows);
  }
  const std::vector<std::byte> scales = read_plane(block.rows * scale_bytes(header_.scale), kScalePlane);
  block.codes = Matrix<std::uint8_t>(block.rows, code_bytes(header_.bits));
  read_stages(block.codes);
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
  if (file_ == nullptr && before + block.rows == header_.count) check_trailer();
  return block;
}

CodeBlock CodeReader::read_block() {
  CodeBlock block = read_whole_block();
  const std::uint64_t skip = std::exchange(skip_, 0);
  if (skip == 0 || block.rows == 0) return block;
  CodeBlock rest{block.rows - skip, Matrix<std::uint8_t>(block.rows - skip, block.codes.cols()), {}};
  std::ranges::copy(block.codes.values().subspan(skip * block.codes.cols()), rest.codes.data());
  if (!block.scales.empty()) {
    rest.scales.assign(block.scales.begin() + static_cast<std::ptrdiff_t>(skip), block.scales.end());
  }
  return rest;
}

void CodeReader::seek(std::uint64_t row) {
  if (file_ == nullptr) fail("{} cannot be searched: save it to a file to read some of its vectors", path());
  if (row > header_.count) fail("{} has no vector {}: it has {}, counted from 0", path(), row, header_.count);
  block_ = row / header_.block_rows;
  skip_ = row % header_.block_rows;
  go_to_block(block_);
}

CodeBlock CodeReader::read_rows(std::uint64_t first, std::uint64_t count) {
  if (first > header_.count || count > header_.count - first) {
    fail("{} has no vectors {} to {}: it has {}, counted from 0", path(), first, first + count - 1, header_.count);
  }
  seek(first);
  CodeBlock out{count, Matrix<std::uint8_t>(count, code_bytes(header_.bits)), {}};
  for (std::size_t done = 0; done < count;) {
    const CodeBlock block = read_block();
    const std::size_t rows = std::min<std::size_t>(block.rows, count - done);
    std::ranges::copy(block.codes.values().first(rows * block.codes.cols()), out.codes.row(done).data());
    const std::span<const float> scales = std::span(block.scales).first(block.scales.empty() ? 0 : rows);
    out.scales.insert(out.scales.end(), scales.begin(), scales.end());
    done += rows;
  }
  return out;
}

}  // namespace signfold

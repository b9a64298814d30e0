#include "signfold/source/vecs.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/source/row_source.h"

namespace signfold {
namespace {

constexpr std::uint32_t kMaxDim = 1 << 24;

/// Bytes of a vector of numbers of `width` bytes, if the file can begin with one.
std::optional<std::uint64_t> record_size(const Probe& probe, std::size_t width) {
  if (probe.head().size() < 4) return {};
  const auto dim = load<std::uint32_t>(probe.head().data(), ByteOrder::little);
  if (dim == 0 || dim > kMaxDim) return {};
  return 4 + dim * width;
}

/// The dimension stands again where the second vector should begin.
bool repeats(Probe& probe, std::size_t width) {
  const auto record = record_size(probe, width);
  return record && std::ranges::equal(probe.at(*record, 4), probe.head().first(4));
}

/// Several vectors, or just one in a file that is not several of the other kind cut short.
bool is_vecs(Probe& probe, std::size_t width, std::size_t other_width) {
  if (repeats(probe, width)) return true;
  const auto record = record_size(probe, width);
  return record && probe.size() == *record && !repeats(probe, other_width);
}

std::unique_ptr<Source> open_vecs(std::unique_ptr<ByteStream> stream, const char* format, const Element* element) {
  std::array<std::byte, 4> first{};
  const std::uint64_t size = measure(*stream);
  stream->read_exactly(first, "the dimension of its first vector");
  const auto dim = load<std::uint32_t>(first.data(), ByteOrder::little);
  const std::uint64_t record = first.size() + dim * element->size;
  if (size % record != 0) {
    fail("{} is truncated or damaged: {} bytes are not a whole number of {} vectors of dimension {}", stream->path(),
         size, format, dim);
  }
  RowLayout layout;
  layout.format = format;
  layout.rows = size / record;
  layout.item_shape = {dim};
  layout.element = element;
  layout.prefix = first.size();
  layout.check_prefix = [path = stream->path(), dim](std::uint64_t row, std::span<const std::byte> prefix) {
    const auto found = load<std::uint32_t>(prefix.data(), ByteOrder::little);
    if (found != dim) fail("{}: vector {} claims dimension {}, the first one has {}", path, row, found, dim);
  };
  return make_row_source(std::move(stream), std::move(layout));
}

const Element* float32() { return find_element('f', 4, ByteOrder::little); }
const Element* uint8() { return find_element('u', 1, ByteOrder::little); }

}  // namespace

bool is_fvecs(Probe& probe) { return is_vecs(probe, float32()->size, uint8()->size); }
bool is_bvecs(Probe& probe) { return is_vecs(probe, uint8()->size, float32()->size); }

std::unique_ptr<Source> open_fvecs(std::unique_ptr<ByteStream> stream) {
  return open_vecs(std::move(stream), "fvecs", float32());
}
std::unique_ptr<Source> open_bvecs(std::unique_ptr<ByteStream> stream) {
  return open_vecs(std::move(stream), "bvecs", uint8());
}

}  // namespace signfold

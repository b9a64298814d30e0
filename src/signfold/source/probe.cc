#include "signfold/source/probe.h"

#include <algorithm>

#include "signfold/base/interrupt.h"

namespace signfold {
namespace {
constexpr std::size_t kHead = 64;
}

Probe::Probe(ByteStream& stream) : stream_(stream), head_(kHead) {
  stream.rewind();
  head_.resize(stream.read(head_));
}

bool Probe::starts_with(std::span<const std::byte> magic) const {
  return head_.size() >= magic.size() && std::ranges::equal(magic, head().first(magic.size()));
}

std::vector<std::byte> Probe::at(std::uint64_t offset, std::size_t count) {
  stream_.rewind();
  std::vector<std::byte> bytes(std::max<std::size_t>(count, 1 << 16));
  while (offset > 0) {
    throw_if_interrupted();
    const std::size_t step = stream_.read(std::span(bytes).first(std::min<std::uint64_t>(offset, bytes.size())));
    if (step == 0) return {};
    offset -= step;
  }
  bytes.resize(stream_.read(std::span(bytes).first(count)) == count ? count : 0);
  return bytes;
}

std::uint64_t Probe::size() {
  if (!measured_) measured_ = measure(stream_);
  return *measured_;
}

}  // namespace signfold

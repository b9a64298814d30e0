// What a file looks like: the questions that recognisers ask.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "signfold/source/byte_stream.h"
#include "signfold/source/source.h"

namespace signfold {

/// A look at a stream that is rewound afterwards by whoever opens it.
class Probe {
 public:
  explicit Probe(ByteStream& stream);
  /// The first bytes (up to 64).
  std::span<const std::byte> head() const { return head_; }
  bool starts_with(std::span<const std::byte> magic) const;
  /// `count` bytes at `offset`; empty when the stream ends before.
  std::vector<std::byte> at(std::uint64_t offset, std::size_t count);
  /// Size where it costs nothing, and size at any price (reads a gzip file to its end, once).
  std::optional<std::uint64_t> known_size() const { return stream_.size(); }
  std::uint64_t size();

 private:
  ByteStream& stream_;
  std::vector<std::byte> head_;
  std::optional<std::uint64_t> measured_;
};

}  // namespace signfold

// Reading vectors in a fuzz target: a bounded number of blocks, and no more promised than the input can hold.
#pragma once

#include <algorithm>
#include <memory>

#include "fuzz.h"
#include "signfold/source/source.h"

namespace signfold::fuzz {

/// Up to 64 blocks of 65536 numbers or one vector.
inline void read_blocks(Source& source) {
  constexpr std::size_t kNumbers = 1 << 16;
  const std::size_t rows = std::max<std::size_t>(1, kNumbers / source.dim());
  Matrix<float> block(std::min<std::uint64_t>(rows, source.rows()), source.dim());
  for (int i = 0; i < 64 && source.read(block) > 0; ++i) {
  }
}

/// What came of opening a file of `size` bytes: callers take memory for as many numbers as it says it has.
inline void read_some(Source& source, std::size_t size) {
  constexpr std::size_t kMostPerByte = 1032;              // of DEFLATE
  constexpr std::size_t kLongest = std::size_t{1} << 22;  // numbers; the longest inputs may well stand for more
  require(source.rows() * source.dim() <= kMostPerByte * size, "a file promises no more than its bytes can hold");
  if (source.dim() <= kLongest) read_blocks(source);
}

/// The whole road from a file: recognised, opened, read.
inline void read_file_of_vectors(std::span<const std::byte> content) {
  survives([&] { read_some(*open_source(memory_file(content)), content.size()); });
}

/// One format's own reader, whatever the recogniser would say.
template <class Open>
void read_as(const Open& open, std::span<const std::byte> content) {
  survives([&] { read_some(*open(open_bytes(memory_file(content))), content.size()); });
}

inline std::vector<std::string> stored_seeds(std::initializer_list<const char*> names) {
  std::vector<std::string> out;
  for (const char* name : names) out.push_back(content_of(std::string("tests/fuzz/seeds/") + name));
  return out;
}

}  // namespace signfold::fuzz

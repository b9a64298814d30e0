// What the tests of several kernels need: awkward numbers, bits, lengths, and arrays that notice a stray write.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "signfold/base/random.h"

namespace signfold::testing {

constexpr std::uint64_t kSeed = 20240711;

/// Numbers of both signs and of very different sizes, with zeros of both signs among them.
inline std::vector<float> numbers(std::size_t n, std::uint64_t seed = kSeed) {
  RandomStream stream(seed, Purpose::test, n);
  std::vector<float> x(n);
  for (float& v : x) {
    const double size = std::ldexp(stream.normal(), static_cast<int>(stream.below(40)) - 20);
    const std::uint64_t kind = stream.below(8);
    v = kind == 0 ? 0.0F : kind == 1 ? -0.0F : static_cast<float>(size);
  }
  return x;
}

inline std::vector<std::uint8_t> bytes(std::size_t n, std::uint64_t seed = kSeed) {
  RandomStream stream(seed, Purpose::test, n);
  std::vector<std::uint8_t> values(n);
  for (std::uint8_t& byte : values) byte = static_cast<std::uint8_t>(stream.bits32());
  return values;
}

/// Equality of representations: −0 differs from 0.
template <class T>
bool same_bits(std::span<const T> a, std::span<const T> b) {
  return std::ranges::equal(std::as_bytes(a), std::as_bytes(b));
}

/// A copy of x that starts `offset` elements after an aligned address, between guards that a kernel must not touch.
template <class T>
class Guarded {
 public:
  Guarded(std::span<const T> x, std::size_t offset) : storage_(offset + x.size() + kGuard, T{77}), offset_(offset) {
    std::copy(x.begin(), x.end(), storage_.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  std::span<T> values() { return std::span(storage_).subspan(offset_, storage_.size() - offset_ - kGuard); }
  bool guards_intact() const {
    for (std::size_t i = 0; i < offset_; ++i) {
      if (storage_[i] != T{77}) return false;
    }
    for (std::size_t i = storage_.size() - kGuard; i < storage_.size(); ++i) {
      if (storage_[i] != T{77}) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kGuard = 70;
  std::vector<T> storage_;
  std::size_t offset_;
};

/// Every length that can matter to 16 lanes in blocks of 64, then a few long ones.
inline std::vector<std::size_t> lengths() {
  std::vector<std::size_t> all;
  for (std::size_t n = 0; n <= 200; ++n) all.push_back(n);
  for (const std::size_t n : {1000, 1023, 1024, 4097}) all.push_back(n);
  return all;
}

}  // namespace signfold::testing

#include "signfold/source/element.h"

#include <array>
#include <cstdint>

namespace signfold {
namespace {

template <class T, ByteOrder order>
void convert(const std::byte* in, std::size_t count, float* out, std::size_t stride) {
  if (stride == 1) {  // a loop of its own, so that it is vectorised
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(load<T>(in + i * sizeof(T), order));
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    out[i * stride] = static_cast<float>(load<T>(in + i * sizeof(T), order));
  }
}

struct Entry {
  char kind = 0;
  ByteOrder order = ByteOrder::little;
  Element element;
};

template <class T>
constexpr std::array<Entry, 2> both_orders(char kind, std::string_view name) {
  return {Entry{kind, ByteOrder::little, {name, sizeof(T), convert<T, ByteOrder::little>}},
          Entry{kind, ByteOrder::big, {name, sizeof(T), convert<T, ByteOrder::big>}}};
}

constexpr std::array kTable = {
    both_orders<float>('f', "float32"),      both_orders<double>('f', "float64"),
    both_orders<std::uint8_t>('u', "uint8"), both_orders<std::int8_t>('i', "int8"),
    both_orders<std::int16_t>('i', "int16"), both_orders<std::int32_t>('i', "int32"),
};

}  // namespace

const Element* find_element(char kind, std::size_t size, ByteOrder order) {
  for (const auto& pair : kTable) {
    for (const Entry& entry : pair) {
      if (entry.kind == kind && entry.element.size == size && entry.order == order) return &entry.element;
    }
  }
  return nullptr;
}

}  // namespace signfold

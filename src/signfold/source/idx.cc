#include "signfold/source/idx.h"

#include <array>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/source/cifar.h"
#include "signfold/source/row_source.h"

namespace signfold {
namespace {

struct TypeCode {
  std::byte code;
  char kind;
  std::size_t size;
};
constexpr std::array kTypes = {TypeCode{std::byte{0x08}, 'u', 1}, TypeCode{std::byte{0x09}, 'i', 1},
                               TypeCode{std::byte{0x0B}, 'i', 2}, TypeCode{std::byte{0x0C}, 'i', 4},
                               TypeCode{std::byte{0x0D}, 'f', 4}, TypeCode{std::byte{0x0E}, 'f', 8}};

const Element* element_of(std::byte code) {
  for (const TypeCode& type : kTypes) {
    if (type.code == code) return find_element(type.kind, type.size, ByteOrder::big);
  }
  return nullptr;
}

RowLayout read_header(ByteStream& stream) {
  std::array<std::byte, 4> magic{};
  stream.read_exactly(magic, "its magic");
  RowLayout layout;
  layout.format = "IDX";
  layout.element = element_of(magic[2]);
  const auto axes = std::to_integer<std::size_t>(magic[3]);
  if (layout.element == nullptr || axes == 0) fail("{}: its IDX header is damaged", stream.path());
  std::vector<std::byte> sizes(4 * axes);
  stream.read_exactly(sizes, "its header");
  for (std::size_t axis = 0; axis < axes; ++axis) {
    layout.item_shape.push_back(load<std::uint32_t>(&sizes[4 * axis], ByteOrder::big));
  }
  layout.rows = layout.item_shape.front();
  layout.item_shape.erase(layout.item_shape.begin());
  if (layout.item_shape.empty()) layout.item_shape.push_back(1);
  layout.offset = magic.size() + sizes.size();
  return layout;
}

}  // namespace

bool is_idx(Probe& probe) {
  const auto head = probe.head();
  constexpr std::array zeros = {std::byte{0}, std::byte{0}};
  if (head.size() < 4 || !probe.starts_with(zeros)) return false;
  if (element_of(head[2]) == nullptr || head[3] == std::byte{0}) return false;
  // A dark CIFAR-10 image of class 0 can begin with the same four bytes; its length and labels give it away.
  return !probe.known_size() || !is_cifar(probe);
}

std::unique_ptr<Source> open_idx(std::unique_ptr<ByteStream> stream) {
  RowLayout layout = read_header(*stream);
  return make_row_source(std::move(stream), std::move(layout));
}

}  // namespace signfold

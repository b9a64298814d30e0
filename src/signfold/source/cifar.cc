#include "signfold/source/cifar.h"

#include <algorithm>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/source/row_source.h"

namespace signfold {
namespace {
constexpr std::size_t kPixels = 3072;
constexpr std::size_t kRecord = 1 + kPixels;
constexpr std::byte kLastLabel{9};
}  // namespace

bool is_cifar(Probe& probe) {
  if (probe.size() == 0 || probe.size() % kRecord != 0) return false;
  const std::uint64_t looked_at = std::min<std::uint64_t>(16, probe.size() / kRecord);
  const std::vector<std::byte> bytes = probe.at(0, looked_at * kRecord);
  for (std::size_t i = 0; i < bytes.size(); i += kRecord) {
    if (bytes[i] > kLastLabel) return false;
  }
  return true;
}

std::unique_ptr<Source> open_cifar(std::unique_ptr<ByteStream> stream) {
  RowLayout layout;
  layout.format = "CIFAR-10";
  layout.rows = measure(*stream) / kRecord;
  layout.item_shape = {3, 32, 32};
  layout.element = find_element('u', 1, ByteOrder::little);
  layout.prefix = 1;
  layout.check_prefix = [path = stream->path()](std::uint64_t row, std::span<const std::byte> label) {
    if (label[0] > kLastLabel) {
      fail("{}: record {} has label {}; CIFAR-10 labels are 0 to 9: the file is damaged, or not CIFAR-10 binary", path,
           row, std::to_integer<int>(label[0]));
    }
  };
  return make_row_source(std::move(stream), std::move(layout));
}

}  // namespace signfold

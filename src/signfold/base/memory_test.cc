#include "signfold/base/memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "signfold/base/error.h"

namespace signfold {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::ThrowsMessage;

constexpr std::uint64_t kMegabyte = 1 << 20;

TEST(Memory, IsMoreThanThisTestNeedsAndLessThanAnyMachineHas) {
  const std::uint64_t available = available_memory();
  EXPECT_GT(available, 16 * kMegabyte);
#ifdef __linux__
  EXPECT_LT(available, kMegabyte << 30U) << "/proc/meminfo was not understood";
#endif
}

TEST(Memory, WhatFitsIsGranted) {
  EXPECT_NO_THROW(require_memory(0, "nothing", "do nothing"));
  EXPECT_NO_THROW(require_memory(1e6, "a little", "take less"));
}

TEST(Memory, WhatDoesNotFitIsRefusedWithBothSizesAndTheRemedy) {
  const auto ask = [] { require_memory(1e30, "training on everything", "take less"); };
#ifdef __linux__
  EXPECT_THAT(ask,
              ThrowsMessage<Error>(AllOf(HasSubstr("training on everything needs "), HasSubstr(" GB of memory and "),
                                         MatchesRegex(".* and [0-9]+\\.[0-9] GB are available; take less"))));
#else
  EXPECT_THROW(ask(), Error);
#endif
}

}  // namespace
}  // namespace signfold

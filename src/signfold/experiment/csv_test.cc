#include "signfold/experiment/csv.h"

#include <gtest/gtest.h>

namespace signfold::experiment {
namespace {

TEST(Csv, HasAColumnPerSettingAndARowPerNumber) {
  Table table;
  table.rows = {{{{"seed", 1}, {"p", 0.1}}, "risk", 0.1 + 0.2, 0.5, 0.25},
                {{{"seed", 1}, {"p", 1}, {"layer", 3}}, "path", 2, 0, std::nullopt}};
  EXPECT_EQ(to_csv(table),
            "seed,p,layer,quantity,value,stderr,prediction\n"
            "1,0.1,,risk,0.30000000000000004,0.5,0.25\n"
            "1,1,3,path,2,0,\n");
}

TEST(Csv, QuotesWhatNeedsIt) {
  Table table;
  table.rows = {{{{"a,b", "say \"x\", y"}}, "plain", 1, 0, std::nullopt}};
  EXPECT_EQ(to_csv(table), "\"a,b\",quantity,value,stderr,prediction\n\"say \"\"x\"\", y\",plain,1,0,\n");
}

}  // namespace
}  // namespace signfold::experiment

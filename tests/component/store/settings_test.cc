// Settings: each with a version, last writer wins each; and what a store makes of them.
#include "region-node/store/settings.h"

#include <algorithm>

#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

conflict::Version at(std::int64_t ms, const RegionId& region = kThere) {
  return {conflict::Hlc::at_ms(ms), region};
}

TEST(Settings, AnOverrideHoldsWhileItIsNewerThanTheTablesValue) {
  Settings settings;
  EXPECT_EQ(settings.number_in("read_units", kHere), 0);
  settings.set("read_units", "5");
  settings.set("read_units@us-east-1", "9", at(1));
  EXPECT_EQ(settings.number("read_units"), 5);
  EXPECT_EQ(settings.number_in("read_units", kHere), 9);
  EXPECT_EQ(settings.override_of("read_units", kHere), "9");
  EXPECT_EQ(settings.number_in("read_units", kThere), 5);
  EXPECT_EQ(settings.override_of("read_units", kThere), std::nullopt);
  EXPECT_EQ(settings.changed_in("read_units", kHere), at(1));
  settings.set("read_units", "7", at(2));
  EXPECT_EQ(settings.number_in("read_units", kHere), 7) << "a later change of the table's value";
  EXPECT_EQ(settings.override_of("read_units", kHere), std::nullopt);
  settings.set("read_units@us-east-1", "7", at(3));
  EXPECT_EQ(settings.override_of("read_units", kHere), std::nullopt) << "no difference";
  settings.set("read_units@us-east-1", "", at(4));
  EXPECT_EQ(settings.number_in("read_units", kHere), 7) << "an empty one is none";
}

// Any order, any number of times: the same.
TEST(Settings, MergingConverges) {
  Rng rng(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Settings> replicas(3);
    for (int change = 0; change < 20; ++change) {
      std::string name = rng.below(2) == 0 ? "read_units" : "read_units@us-east-1";
      // Few times, so that versions tie but for the region; some settings have none at all.
      auto region = rng.below(2) == 0 ? kHere : kThere;
      auto changed = rng.below(4) == 0 ? conflict::Version{}
                                       : at(static_cast<std::int64_t>(rng.below(5)), region);
      // A version is minted once, so it names one value; without a version anything goes.
      auto value = changed == conflict::Version{} ? std::to_string(rng.below(5))
                                                  : conflict::to_text(changed);
      Settings one;
      one.set(name, value, changed);
      replicas[rng.below(3)].merge(one);
    }
    Settings all;
    for (const auto& each : replicas) all.merge(each);
    auto order = replicas;
    std::reverse(order.begin(), order.end());
    order.push_back(replicas[1]);
    Settings other;
    for (const auto& each : order) other.merge(each);
    ASSERT_EQ(other, all);
    other.merge(all);
    ASSERT_EQ(other, all);
  }
}

class SettingsTest : public StoreTest {
 protected:
  ControlResult change(const TablePtr& table, std::map<std::string, std::string> settings) {
    TableChange wanted;
    wanted.settings = std::move(settings);
    return control([&](ControlDone done) { store_->change_table(table->id, wanted, done); });
  }
  ControlResult merge(const TablePtr& table, const Settings& settings) {
    return control([&](ControlDone done) { store_->merge_settings(table->id, settings, done); });
  }
};

TEST_F(SettingsTest, AChangeMintsAVersionLaterThanAll) {
  auto table = create_single();
  EXPECT_EQ(table->settings.text("billing_mode"), "PAY_PER_REQUEST");
  EXPECT_EQ(table->settings.all().at("billing_mode").changed, conflict::Version{});
  auto made = *change(table, {{"read_units@eu-west-1", "9"}});
  auto first = made->settings.all().at("read_units@eu-west-1").changed;
  EXPECT_EQ(first.region, kHere);
  clock_.step_ms(-200);
  auto changed = *change(table, {{"read_units", "5"}, {"write_units", "6"}});
  auto second = changed->settings.all().at("read_units").changed;
  EXPECT_GT(second, first);
  EXPECT_EQ(changed->settings.all().at("write_units").changed, second);
  EXPECT_EQ(changed->settings.number_in("read_units", kThere), 5) << "the override is lost";
  reopen();
  EXPECT_EQ(store_->catalog()->find(table->id)->settings, changed->settings);
}

TEST_F(SettingsTest, MergesTakeWhatIsNewerAndKeepTheRest) {
  auto table = create_single();
  auto mine = *change(table, {{"table_class", "STANDARD"}, {"read_units", "5"}});
  Settings theirs;
  theirs.set("table_class", "STANDARD_INFREQUENT_ACCESS", at(now_ms() + 100));
  theirs.set("read_units", "1", at(now_ms() - 100));
  theirs.set("of_a_newer_release", "kept", at(now_ms()));
  auto merged = *merge(table, theirs);
  EXPECT_EQ(merged->settings.text("table_class"), "STANDARD_INFREQUENT_ACCESS");
  EXPECT_EQ(merged->settings.text("read_units"), "5");
  EXPECT_EQ(merged->settings.text("of_a_newer_release"), "kept");
  auto generation = store_->catalog()->generation;
  EXPECT_EQ((*merge(table, theirs))->settings, merged->settings);
  EXPECT_EQ(store_->catalog()->generation, generation) << "nothing new, nothing written";
  // The clock has seen theirs: what is set here next is later.
  auto later = *change(table, {{"table_class", "STANDARD"}});
  EXPECT_EQ(later->settings.text("table_class"), "STANDARD");
  EXPECT_GT(later->settings.all().at("table_class").changed, at(now_ms() + 100));
}

TEST_F(SettingsTest, AVersionBeyondTheClockBoundWaits) {
  auto table = create_single();
  Settings theirs;
  theirs.set("table_class", "STANDARD", at(now_ms() + 10'000));
  EXPECT_EQ(merge(table, theirs).error(), ControlError::unavailable);
  EXPECT_EQ(store_->catalog()->find(table->id)->settings.text("table_class"), "");
  clock_.advance_ms(10'000);
  EXPECT_TRUE(merge(table, theirs).ok());
  TableSpec spec;
  spec.name = "Replica";
  spec.keys = schema();
  spec.settings.set("table_class", "STANDARD", at(now_ms() + 10'000));
  EXPECT_EQ(control([&](ControlDone done) { store_->create_table(spec, done); }).error(),
            ControlError::unavailable);
}

TEST_F(SettingsTest, TheStreamFollowsItsSetting) {
  TableSpec spec;
  spec.name = "T";
  spec.keys = schema();
  auto table = create(spec);
  ASSERT_EQ(table->enabled_stream(), nullptr);
  auto want = [&](const std::string& view, std::int64_t ms) {
    Settings theirs;
    theirs.set("stream_view", view, at(ms));
    return *merge(table, theirs);
  };
  auto enabled = want("KEYS_ONLY", now_ms());
  ASSERT_NE(enabled->enabled_stream(), nullptr);
  EXPECT_EQ(enabled->enabled_stream()->view, model::StreamViewType::KEYS_ONLY);
  EXPECT_EQ(want("OF_A_NEWER_RELEASE", now_ms() + 1)->streams.size(), 1u);
  auto other = want("NEW_IMAGE", now_ms() + 2);
  ASSERT_EQ(other->streams.size(), 2u) << "another view is another stream";
  EXPECT_TRUE(other->streams[0].disabled_ms.has_value());
  EXPECT_EQ(other->enabled_stream()->view, model::StreamViewType::NEW_IMAGE);
  EXPECT_EQ(want("", now_ms() + 3)->enabled_stream(), nullptr);
  // And the setting follows the stream.
  TableChange change;
  change.enable_stream = model::StreamViewType::OLD_IMAGE;
  auto here = expect_ok([&](ControlDone done) { store_->change_table(table->id, change, done); });
  EXPECT_EQ(here->settings.text("stream_view"), "OLD_IMAGE");
  EXPECT_GT(here->settings.all().at("stream_view").changed, at(now_ms() + 3));
}

TEST_F(SettingsTest, TooManyAreRefused) {
  auto table = create_single();
  Settings theirs;
  for (std::size_t i = 0; i < kSettingsMax; ++i)
    theirs.set("s" + std::to_string(i), "x", at(now_ms()));
  EXPECT_EQ(merge(table, theirs).error(), ControlError::limit_exceeded);
  EXPECT_EQ(store_->catalog()->find(table->id)->settings, table->settings);
}

TEST_F(SettingsTest, ATableOf2017TakesThePlaceOfAnEmptyOne) {
  auto own = create_single();
  auto label = own->enabled_stream()->label;
  TableSpec spec;
  spec.name = "T";
  spec.keys = schema();
  spec.stream = model::StreamViewType::NEW_AND_OLD_IMAGES;
  spec.settings.set("global_table_version", "2017.11.29");
  auto join = [&] { return control([&](ControlDone done) { store_->create_table(spec, done); }); };
  EXPECT_EQ(join().error(), ControlError::already_exists) << "not a replica of another region's";
  spec.id = TableId{1, 2};
  spec.stream = model::StreamViewType::KEYS_ONLY;
  EXPECT_EQ(join().error(), ControlError::already_exists) << "another stream";
  spec.stream = model::StreamViewType::NEW_AND_OLD_IMAGES;
  put(own, "a", "1");
  EXPECT_EQ(join().error(), ControlError::already_exists) << "not empty";
  remove(own, "a");
  clock_.advance_ms(60'000);
  auto joined = join();
  ASSERT_TRUE(joined.ok());
  EXPECT_EQ((*joined)->id, spec.id);
  EXPECT_EQ((*joined)->enabled_stream()->label, label);
  EXPECT_EQ(store_->catalog()->find(own->id), nullptr);
  EXPECT_EQ(join().error(), ControlError::already_exists);
  put(*joined, "b", "2");
  reopen();
  EXPECT_TRUE(get(*joined, "b").has_value());
  EXPECT_EQ(store_->catalog()->find("T")->enabled_stream()->label, label);
  check();
}

}  // namespace
}  // namespace meridian::store

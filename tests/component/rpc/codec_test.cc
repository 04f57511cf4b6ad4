// The codec: what is written is read again, and what breaks a limit is refused by name.
#include "rpc/codec.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/rng.h"
#include "rpc/codec_repair.h"
#include "rpc/repair.h"

namespace meridian::rpc {
namespace {

using ::testing::HasSubstr;

RegionId east() { return RegionId::of("us-east-1"); }
RegionId west() { return RegionId::of("us-west-2"); }

ChangeRecord record(std::uint64_t sequence, std::size_t image_bytes) {
  ChangeRecord out;
  out.sequence = Sequence(sequence);
  out.key = Bytes("k\0y", 3) + std::to_string(sequence);
  out.version = {conflict::Hlc{sequence + 100}, east()};
  out.parent = conflict::Version{conflict::Hlc{5}, west()};
  out.context = *conflict::Context::from_entries({{east(), {7}}, {west(), {5}}});
  out.committed_us = 1'700'000'000'000'000;
  out.new_image = Bytes(image_bytes, '\xff');
  return out;
}

ReplicationBatch batch(std::uint64_t first, std::uint64_t last, std::size_t image_bytes = 10) {
  ReplicationBatch out;
  out.flow = {{1, 2}, ShardId(3), east()};
  out.from = {StartId(9), Sequence(first - 1)};
  out.to = {StartId(10), Sequence(last)};
  for (auto sequence = first; sequence <= last; ++sequence)
    out.records.push_back(record(sequence, image_bytes));
  return out;
}

// Over bytes, as on the wire.
ReplicationBatch over_the_wire(const ReplicationBatch& value) {
  capnp::MallocMessageBuilder message;
  write_batch(value, message.initRoot<wire::Batch>());
  auto words = capnp::messageToFlatArray(message);
  capnp::FlatArrayMessageReader reader(words);
  return read_batch(reader.getRoot<wire::Batch>());
}

template <typename Change>
std::string refusal_of(Change change) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::Batch>();
  write_batch(batch(1, 3), root);
  change(root);
  try {
    read_batch(root.asReader());
  } catch (const CodecError& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Codec, ABatchComesBackAsItWas) {
  auto sent = batch(5, 9);
  sent.records[1].new_image.reset();
  sent.records[2].parent.reset();
  sent.records[2].context = {};
  sent.records[3].new_image = Bytes();
  EXPECT_EQ(sent, over_the_wire(sent));
  sent.records.clear();
  EXPECT_EQ(sent, over_the_wire(sent));
}

TEST(Codec, TheSizeHintHoldsABatchInOneSegment) {
  auto sent = batch(1, 512, 1000);
  auto hint = size_hint(words_of(sent.records) + kWordsPerPage);
  capnp::MallocMessageBuilder message(static_cast<unsigned>(hint.wordCount),
                                      capnp::AllocationStrategy::FIXED_SIZE);
  write_batch(sent, message.initRoot<wire::Batch>());
  EXPECT_EQ(message.getSegmentsForOutput().size(), 1u);
}

TEST(Codec, AnOversizedRecordTravelsAloneOnly) {
  auto sent = batch(1, 1, kImageBytesMax);
  EXPECT_EQ(over_the_wire(sent).records.size(), 1u);
  sent = batch(1, 2, kImageBytesMax);
  EXPECT_THROW(over_the_wire(sent), CodecError);
}

TEST(Codec, HostileBatchesAreRefusedByName) {
  EXPECT_THAT(refusal_of([](auto b) { b.getFlow().setSource("UPPER"); }), HasSubstr("region name"));
  EXPECT_THAT(refusal_of([](auto b) { b.getFlow().setSource(""); }), HasSubstr("region name"));
  EXPECT_THAT(refusal_of([](auto b) { b.getFlow().setSource(std::string(5000, 'a')); }),
              HasSubstr("region name"));
  EXPECT_THAT(refusal_of([](auto b) { b.getTo().setSequence(2); }), HasSubstr("after its range"));
  EXPECT_THAT(refusal_of([](auto b) { b.getFrom().setSequence(1); }),
              HasSubstr("before its range"));
  EXPECT_THAT(refusal_of([](auto b) { b.getFrom().setSequence(9); }), HasSubstr("backwards"));
  EXPECT_THAT(refusal_of([](auto b) { b.getRecords()[1].setSequence(1); }),
              HasSubstr("out of order"));
  EXPECT_THAT(refusal_of([](auto b) { b.getRecords()[0].initKey(0); }), HasSubstr("empty key"));
  EXPECT_THAT(refusal_of([](auto b) { b.getRecords()[0].initKey(kKeyBytesMax + 1); }),
              HasSubstr("key too long"));
  EXPECT_THAT(refusal_of([](auto b) { b.getRecords()[0].initImage(kImageBytesMax + 1); }),
              HasSubstr("image too long"));
  EXPECT_THAT(refusal_of([](auto b) { b.getRecords()[0].initContext(65); }),
              HasSubstr("too many context entries"));
  EXPECT_THAT(refusal_of([](auto b) {
                auto context = b.getRecords()[0].initContext(2);
                context[0].setRegion("b");
                context[1].setRegion("a");
              }),
              HasSubstr("context entries out of order"));
  EXPECT_THAT(refusal_of([](auto b) { b.initRecords(kBatchRecordsMax + 1); }),
              HasSubstr("too many records"));
}

RowsPage rows_page(std::size_t count, std::size_t image_bytes = 10) {
  RowsPage page;
  page.epoch = 7;
  for (std::size_t i = 0; i < count; ++i) {
    Row row;
    row.key = "key" + std::to_string(1000 + i);
    row.version = {conflict::Hlc::at_ms(static_cast<std::int64_t>(1000 + i)),
                   RegionId::of(i % 2 == 0 ? "us-east-1" : "eu-west-1")};
    row.context = *conflict::Context::from_entries({{RegionId::of("a"), conflict::Hlc{5}}});
    if (i % 3 != 0) row.image = Bytes(image_bytes, 'x');
    page.rows.push_back(std::move(row));
  }
  return page;
}

template <typename Change>
std::string rows_refusal(Change change) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::RowsPage>();
  write_rows_page(rows_page(3), root);
  change(root);
  try {
    read_rows_page(root.asReader());
  } catch (const CodecError& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Codec, RowsOfAnyOriginComeBackAsTheyWere) {
  for (bool end : {false, true}) {
    auto sent = rows_page(5);
    sent.end = end;
    capnp::MallocMessageBuilder message;
    write_rows_page(sent, message.initRoot<wire::RowsPage>());
    EXPECT_EQ(read_rows_page(message.getRoot<wire::RowsPage>().asReader()), sent);
  }
  for (auto until : {std::optional<Bytes>(), std::optional<Bytes>("z")}) {
    RowsRead read{{1, 2}, "after", until, 3, 4};
    capnp::MallocMessageBuilder message;
    write_rows_read(read, message.initRoot<wire::RowsRead>());
    EXPECT_EQ(read_rows_read(message.getRoot<wire::RowsRead>().asReader()), read);
  }
}

TEST(Codec, AnOfferToCopyComesBackAsItWas) {
  CopyOffer sent;
  sent.status = RowsStatus::unavailable;
  sent.reason = "busy";
  sent.stands = {{RegionId::of("us-east-1"), ShardId(3), {StartId(4), Sequence(5)}},
                 {RegionId::of("eu-west-1"), ShardId(0), {}}};
  sent.parked = rows_page(3).rows;
  sent.rows = 6;
  sent.epoch = 7;
  sent.collected = conflict::Hlc{8};
  sent.watermarks = {{east(), conflict::Hlc{9}}};
  sent.unsettled = {west()};
  sent.ends = {{StartId(10), Sequence(11)}, {}};
  sent.rewound = true;
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::CopyOffer>();
  write_copy_offer(sent, root);
  EXPECT_EQ(read_copy_offer(root.asReader()), sent);
  root.getStands()[0].setSource("No");
  EXPECT_THROW(read_copy_offer(root.asReader()), CodecError);
  write_copy_offer(sent, root);
  root.initStands(kStandsMax + 1);
  EXPECT_THROW(read_copy_offer(root.asReader()), CodecError);
}

TEST(Codec, WhatIsParkedComesWithTheFactsOfARepair) {
  BeginAnswer sent;
  sent.facts.watermarks = {{east(), conflict::Hlc{9}}};
  sent.facts.parked = rows_page(3).rows;
  sent.facts.more_parked = true;
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::RepairAnswer>();
  write_repair_answer(sent, root);
  EXPECT_EQ(std::get<BeginAnswer>(read_repair_answer(root.asReader())).facts, sent.facts);
  root.getBegin().getFacts().initParked(kRepairRowsMax + 1);
  EXPECT_THROW(read_repair_answer(root.asReader()), CodecError);
}

TEST(Codec, AQuestionForAnOfferComesBackAsItWas) {
  OfferQuestion sent{{1, 2}, {{StartId(3), Sequence(4)}, {}}, {{StartId(5), Sequence(6)}}};
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::Region::OfferCopyParams>();
  write_offer_question(sent, root);
  EXPECT_EQ(read_offer_question(root.asReader()), sent);
  root.initScanned(kRepairShardsMax + 1);
  EXPECT_THROW(read_offer_question(root.asReader()), CodecError);
}

TEST(Codec, TheSizeHintHoldsAPageOfRowsInOneSegment) {
  auto sent = rows_page(500, 1000);
  auto hint = size_hint(words_of(sent.rows) + kWordsPerPage);
  capnp::MallocMessageBuilder message(static_cast<unsigned>(hint.wordCount),
                                      capnp::AllocationStrategy::FIXED_SIZE);
  write_rows_page(sent, message.initRoot<wire::RowsPage>());
  EXPECT_EQ(message.getSegmentsForOutput().size(), 1u);
}

TEST(Codec, HostileRowsAreRefusedByName) {
  EXPECT_THAT(rows_refusal([](auto p) { p.getRows()[0].initKey(0); }), HasSubstr("empty key"));
  EXPECT_THAT(rows_refusal([](auto p) { p.getRows()[0].initKey(kKeyBytesMax + 1); }),
              HasSubstr("key too long"));
  EXPECT_THAT(rows_refusal([](auto p) { p.getRows()[1].initImage(kImageBytesMax + 1); }),
              HasSubstr("image too long"));
  EXPECT_THAT(rows_refusal([](auto p) { p.getRows()[1].getVersion().setRegion("No"); }),
              HasSubstr("region name"));
  EXPECT_THAT(rows_refusal([](auto p) { p.getRows()[1].initContext(65); }),
              HasSubstr("too many context entries"));
  EXPECT_THAT(rows_refusal([](auto p) { p.initRows(kRowsMax + 1); }), HasSubstr("too many rows"));
  EXPECT_THAT(rows_refusal([](auto p) {
                auto key = p.getRows()[2].initKey(1);
                key[0] = 'a';
              }),
              HasSubstr("rows out of order"));
  EXPECT_THAT(rows_refusal([](auto p) {
                p.getRows()[1].initImage(kImageBytesMax);
                p.getRows()[2].initImage(kImageBytesMax);
              }),
              HasSubstr("page of rows too large"));
  EXPECT_THAT(rows_refusal([](auto p) { p.setStatus(static_cast<wire::RowsStatus>(9)); }),
              HasSubstr("unknown status"));
}

TEST(Codec, AForeignVersionCannotBeSmuggledIn) {
  // A record on the wire has no region of its own: it is the flow's source's.
  auto read = over_the_wire(batch(1, 1));
  EXPECT_EQ(read.records[0].version.region, read.flow.source);
}

TEST(Codec, DamagedMessagesThrowAndNeverCrash) {
  capnp::MallocMessageBuilder message;
  write_batch(batch(1, 20, 100), message.initRoot<wire::Batch>());
  auto words = capnp::messageToFlatArray(message);
  Rng rng(7);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    auto damaged = kj::heapArray<capnp::word>(words.asPtr());
    auto bytes = damaged.asBytes();
    for (int i = 0; i < 8; ++i)
      bytes[rng.below(bytes.size())] = static_cast<kj::byte>(rng.below(256));
    try {
      capnp::ReaderOptions options;
      options.traversalLimitInWords = kMessageWordsMax;
      capnp::FlatArrayMessageReader reader(damaged, options);
      read_batch(reader.getRoot<wire::Batch>());
    } catch (const CodecError&) {
      ++refused;
    } catch (const kj::Exception&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
}

TEST(Codec, PagesOutcomesAndStatuses) {
  LogPage page;
  page.status = ReadStatus::ok;
  page.to = {StartId(1), Sequence(9)};
  page.records = {record(8, 4), record(9, 4)};
  page.end = Sequence(11);
  page.pending = 2;
  capnp::MallocMessageBuilder message;
  auto wire_page = message.initRoot<wire::LogPage>();
  write_page(page, wire_page);
  auto read = read_page(wire_page.asReader(), east());
  EXPECT_EQ(read.to, page.to);
  EXPECT_EQ(read.records, page.records);
  EXPECT_EQ(read.end, page.end);
  EXPECT_EQ(read.pending, page.pending);
  wire_page.getTo().setSequence(8);
  EXPECT_THROW(read_page(wire_page.asReader(), east()), CodecError);
  wire_page.setStatus(static_cast<wire::ReadStatus>(99));
  EXPECT_THROW(read_page(wire_page.asReader(), east()), CodecError);

  for (auto status : {ApplyStatus::applied, ApplyStatus::held, ApplyStatus::invalid}) {
    capnp::MallocMessageBuilder outcome_message;
    auto wire_outcome = outcome_message.initRoot<wire::ApplyOutcome>();
    write_outcome({status, {StartId(1), Sequence(2)}, 3, 4, 5}, wire_outcome);
    auto outcome = read_outcome(wire_outcome.asReader());
    EXPECT_EQ(outcome.status, status);
    EXPECT_EQ(outcome.visible_us, 3);
    EXPECT_EQ(outcome.clock_ahead_ms, 5);
    wire_outcome.setStatus(static_cast<wire::ApplyStatus>(1000));
    EXPECT_THROW(read_outcome(wire_outcome.asReader()), CodecError);
  }
}

TEST(Codec, TableDefinitions) {
  TableDefinition table;
  table.id = {3, 4};
  table.name = "Orders";
  table.partition = {"customer", "S"};
  table.sort = KeyAttribute{"order", "N"};
  table.created_ms = 1234;
  table.replicas[east()] = {true, {conflict::Hlc{8}, east()}};
  table.replicas[west()] = {false, {conflict::Hlc{9}, east()}};
  table.billing_mode = "PROVISIONED";
  table.read_units = 5;
  table.stream_view = "NEW_IMAGE";
  table.settings["billing_mode"] = {"PROVISIONED", {}};
  table.settings["read_units@eu-west-1"] = {"", {conflict::Hlc{7}, west()}};
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::TableDefinition>();
  write_definition(table, root);
  EXPECT_EQ(read_definition(root.asReader()), table);
  root.getPartitionKey().setType("X");
  EXPECT_THROW(read_definition(root.asReader()), CodecError);
  write_definition(table, root);
  root.getReplicas()[1].setRegion("us-east-1");
  EXPECT_THROW(read_definition(root.asReader()), CodecError) << "named twice";
  write_definition(table, root);
  root.setName(std::string(256, 'x'));
  EXPECT_THROW(read_definition(root.asReader()), CodecError);
  write_definition(table, root);
  root.initReplicas(kReplicasMax + 1);
  EXPECT_THROW(read_definition(root.asReader()), CodecError);
  write_definition(table, root);
  root.getSettings()[1].setName("billing_mode");
  EXPECT_THROW(read_definition(root.asReader()), CodecError) << "named twice";
  root.getSettings()[1].setName("");
  EXPECT_THROW(read_definition(root.asReader()), CodecError);
  root.getSettings()[1].setName("other");
  EXPECT_EQ(read_definition(root.asReader()).settings.count("other"), 1u);
  root.getSettings()[1].setValue(std::string(kSettingBytesMax + 1, 'x'));
  EXPECT_THROW(read_definition(root.asReader()), CodecError);
  root.getSettings()[1].setValue("\xff");
  EXPECT_THROW(read_definition(root.asReader()), CodecError);
  root.initSettings(kSettingsMax + 1);
  EXPECT_THROW(read_definition(root.asReader()), CodecError);
}

TEST(Codec, HostileTableDefinitionsAreRefusedByName) {
  TableDefinition table;
  table.name = "Orders";
  table.partition = {"customer", "S"};
  table.sort = KeyAttribute{"order", "N"};
  auto refusal = [&table](auto change) -> std::string {
    capnp::MallocMessageBuilder message;
    auto root = message.initRoot<wire::TableDefinition>();
    write_definition(table, root);
    change(root);
    try {
      read_definition(root.asReader());
    } catch (const CodecError& failure) {
      return failure.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal([](auto t) { t.setName("a/b"); }), HasSubstr("not a table name"));
  EXPECT_THAT(refusal([](auto t) { t.setName("\xff\xfe"); }), HasSubstr("not a table name"));
  EXPECT_THAT(refusal([](auto t) { t.initName(3); }), HasSubstr("not a table name"));
  EXPECT_THAT(refusal([](auto t) { t.getSortKey().setName("\xc0"); }), HasSubstr("UTF-8"));
  EXPECT_THAT(refusal([](auto t) { t.getSortKey().setName("customer"); }), HasSubstr("twice"));
  EXPECT_THAT(refusal([](auto t) { t.setBillingMode("free\n"); }), HasSubstr("billing mode"));
  EXPECT_THAT(refusal([](auto t) { t.setStreamViewType("\""); }), HasSubstr("stream view type"));
  EXPECT_THAT(refusal([](auto t) { t.setReadUnits(-1); }), HasSubstr("negative capacity"));
}

TEST(Codec, AKeyAttributesNameMayHoldAnything) {
  TableDefinition table;
  table.name = "Orders";
  table.partition = {std::string("a\0\xc3\xbc", 4), "S"};
  capnp::MallocMessageBuilder message;
  write_definition(table, message.initRoot<wire::TableDefinition>());
  EXPECT_EQ(read_definition(message.getRoot<wire::TableDefinition>().asReader()), table);
}

TEST(Codec, ListsForReplicators) {
  capnp::MallocMessageBuilder message;
  ReplicatedTables tables{7, {{{1, 2}, "A", 4, {east(), west()}}, {{1, 3}, "B", 2, {}}}};
  auto results = message.initRoot<wire::Region::ReplicatedTablesResults>();
  write_tables(tables, results);
  EXPECT_EQ(read_tables(results.asReader()), tables);

  std::vector<Acknowledgement> acks{{{1, 2}, ShardId(3), west(), {StartId(4), Sequence(5)}}};
  auto params = message.initRoot<wire::Region::AcknowledgeParams>();
  write_acknowledgements(acks, params);
  EXPECT_EQ(read_acknowledgements(params.asReader().getAcknowledgements()), acks);

  std::vector<BacklogQuery> queries{{{1, 2}, ShardId(3), west()}};
  auto asked = message.initRoot<wire::Region::BacklogParams>();
  write_queries(queries, asked);
  EXPECT_EQ(read_queries(asked.asReader().getQueries()), queries);

  std::vector<BacklogAnswer> answers{{1, 2, 3, {StartId(4), Sequence(5)}}, {}};
  auto told = message.initRoot<wire::Region::BacklogResults>();
  write_backlogs(answers, told);
  EXPECT_EQ(read_backlogs(told.asReader().getBacklogs()), answers);
}

TEST(Codec, BarriersAndWatermarks) {
  capnp::MallocMessageBuilder message;
  std::vector<Barrier> barriers{
      {StartId(7), conflict::Hlc{8}, {{{1, 2}, {{StartId(3), Sequence(4)}, {}}}, {{1, 3}, {{}}}}},
      {StartId(7), conflict::Hlc{9}, {}}};
  auto offered = message.initRoot<wire::Region::AdvanceParams>();
  write_barriers(barriers, offered);
  EXPECT_EQ(read_barriers(offered.asReader().getBarriers()), barriers);

  std::vector<std::vector<TableId>> reached{{{1, 2}, {1, 3}}, {}};
  auto results = message.initRoot<wire::Region::AdvanceResults>();
  write_reached(reached, results);
  EXPECT_EQ(read_reached(results.asReader().getReached()), reached);

  std::vector<TableWatermarks> watermarks{
      {{1, 2}, {{east(), conflict::Hlc{5}}, {west(), conflict::Hlc{6}}}, conflict::Hlc{4},
       9, {west()}},
      {}};
  auto told = message.initRoot<wire::Region::WatermarksResults>();
  write_watermarks(watermarks, told);
  EXPECT_EQ(read_watermarks(told.asReader().getWatermarks()), watermarks);
}

TEST(Codec, HostileBarriersAndWatermarksAreRefused) {
  capnp::MallocMessageBuilder message;
  auto barrier = message.initRoot<wire::Barrier>();
  barrier.setHlc(~0ULL);
  EXPECT_THROW(read_barrier(barrier), CodecError) << "beyond what a store can keep";
  barrier.setHlc(1);
  barrier.initTables(kBarrierTablesMax + 1);
  EXPECT_THROW(read_barrier(barrier), CodecError);
  barrier.initTables(1)[0].initEnds(kBarrierShardsMax + 1);
  EXPECT_THROW(read_barrier(barrier), CodecError);
  auto offered = message.initRoot<wire::Region::AdvanceParams>();
  offered.initBarriers(kBarriersMax + 1);
  EXPECT_THROW(read_barriers(offered.asReader().getBarriers()), CodecError);
  auto asked = message.initRoot<wire::Region::WatermarksParams>();
  asked.initTables(kBarrierTablesMax + 1);
  EXPECT_THROW(read_table_ids(asked.asReader().getTables()), CodecError);
  auto told = message.initRoot<wire::Region::WatermarksResults>();
  auto applied = told.initWatermarks(1)[0].initApplied(2);
  applied[0].setOrigin("us-east-1");
  applied[1].setOrigin("us-east-1");
  EXPECT_THROW(read_watermarks(told.asReader().getWatermarks()), CodecError) << "named twice";
}

}  // namespace
}  // namespace meridian::rpc

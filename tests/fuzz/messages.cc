// Messages between regions: bytes as they come from a socket, through Cap'n Proto and the codec.
//
// Input: one byte that says what the message is taken for, then the message with its segment table.
// It is refused with an exception, or it says the same when it is written and read again.
#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/io.h>

#include <vector>

#include "rpc/codec.h"
#include "tests/fuzz/fuzz.h"

namespace meridian::fuzz {
namespace {

namespace wire = rpc::wire;

using Message = capnp::MessageReader;

template <typename Wire, typename Read, typename Write>
void round_trip(Message& message, Read read, Write write) {
  auto value = read(message.getRoot<Wire>());
  capnp::MallocMessageBuilder builder;
  auto root = builder.initRoot<Wire>();
  write(value, root);
  expect(read(root.asReader()) == value, "a message says what was written");
}

const RegionId& origin() {
  static const RegionId region = RegionId::of("us-east-1");
  return region;
}

void read_as_data(Message& message, unsigned kind) {
  switch (kind) {
    case 0:
      return round_trip<wire::Batch>(message, [](auto in) { return rpc::read_batch(in); },
                                     rpc::write_batch);
    case 1:
      return round_trip<wire::LogPage>(
          message, [](auto in) { return rpc::read_page(in, origin()); }, rpc::write_page);
    case 2:
      return round_trip<wire::ApplyOutcome>(
          message, [](auto in) { return rpc::read_outcome(in); }, rpc::write_outcome);
    default:
      return round_trip<wire::Version>(message, [](auto in) { return rpc::read_version(in); },
                                       rpc::write_version);
  }
}

void read_as_control(Message& message, unsigned kind) {
  switch (kind) {
    case 0:
      return round_trip<wire::TableDefinition>(
          message, [](auto in) { return rpc::read_definition(in); }, rpc::write_definition);
    case 1:
      return round_trip<wire::Region::ReplicatedTablesResults>(
          message, [](auto in) { return rpc::read_tables(in); }, rpc::write_tables);
    case 2:
      return round_trip<wire::Region::AcknowledgeParams>(
          message, [](auto in) { return rpc::read_acknowledgements(in.getAcknowledgements()); },
          rpc::write_acknowledgements);
    case 3:
      return round_trip<wire::Region::BacklogParams>(
          message, [](auto in) { return rpc::read_queries(in.getQueries()); }, rpc::write_queries);
    case 4:
      return round_trip<wire::Region::BacklogResults>(
          message, [](auto in) { return rpc::read_backlogs(in.getBacklogs()); },
          rpc::write_backlogs);
    case 6:
      return round_trip<wire::Region::AdvanceParams>(
          message, [](auto in) { return rpc::read_barriers(in.getBarriers()); },
          rpc::write_barriers);
    case 7:
      return round_trip<wire::Region::WatermarksResults>(
          message, [](auto in) { return rpc::read_watermarks(in.getWatermarks()); },
          rpc::write_watermarks);
    default:
      (void)rpc::read_region(message.getRoot<wire::Region::HelloParams>().getRegion());
      (void)rpc::read_role(message.getRoot<wire::Region::HelloParams>().getRole());
  }
}

void read_as_rows(Message& message, unsigned kind) {
  if (kind == 0)
    return round_trip<wire::RowsPage>(
        message, [](auto in) { return rpc::read_rows_page(in); }, rpc::write_rows_page);
  round_trip<wire::RowsRead>(
      message, [](auto in) { return rpc::read_rows_read(in); }, rpc::write_rows_read);
}

void read_as(Message& message, unsigned kind) {
  if (kind < 4) return read_as_data(message, kind);
  if (kind < 10) return read_as_control(message, kind - 4);
  read_as_rows(message, kind - 10);
}

}  // namespace

void run(std::string_view rest) {
  constexpr unsigned kKinds = 12;
  unsigned kind = take_byte(rest) % kKinds;
  // As the peer port reads it: the same limits, from a stream that may end anywhere.
  capnp::ReaderOptions options;
  options.traversalLimitInWords = rpc::kMessageWordsMax;
  kj::ArrayInputStream stream(
      kj::arrayPtr(reinterpret_cast<const kj::byte*>(rest.data()), rest.size()));
  // KJ's exceptions are no std::exception: KJ catches what is thrown here itself.
  auto failure = kj::runCatchingExceptions([&] {
    try {
      capnp::InputStreamMessageReader message(stream, options);
      read_as(message, kind);
    } catch (const rpc::CodecError&) {
      return;
    }
  });
  (void)failure;
}

}  // namespace meridian::fuzz

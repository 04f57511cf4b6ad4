// Codec: Cap'n Proto messages <-> plain structs.  Everything that arrives is checked here against its
// limit, so that no layer above meets a hostile length, name or order.
//
// Threads: any; the readers and builders belong to the caller's KJ thread.
// Errors: read_* throw CodecError naming the field that breaks a limit, or kj::Exception when the
// message itself is malformed.  Neither crashes, and neither leaves anything half done.
// Limits: rpc/change_record.h, rpc/messages.h and the constants below.
// write_* REQUIRE values within the same limits; they are our own.
#pragma once

#include <capnp/common.h>

#include <stdexcept>
#include <vector>

#include "rpc/change_record.h"
#include "rpc/messages.h"
#include "rpc/region.capnp.h"
#include "rpc/rows.h"
#include "rpc/watermark.h"

namespace meridian::rpc {

// Encoded keys: 2048 + 1024 bytes of DynamoDB's limits, with room for escapes and lengths.
inline constexpr std::size_t kKeyBytesMax = 8192;
// A whole message: one batch, or one oversized record, with room for contexts and framing.
inline constexpr std::uint64_t kMessageWordsMax = 8 * 1024 * 1024 / sizeof(capnp::word);

class CodecError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

conflict::Version read_version(wire::Version::Reader in);
void write_version(const conflict::Version& value, wire::Version::Builder out);
TableId read_table_id(wire::TableId::Reader in);
void write_table_id(const TableId& value, wire::TableId::Builder out);
LogPosition read_position(wire::LogPosition::Reader in);
void write_position(const LogPosition& value, wire::LogPosition::Builder out);
FlowId read_flow(wire::FlowId::Reader in);
void write_flow(const FlowId& value, wire::FlowId::Builder out);

// Records must ascend in sequence within (from, to] and fit into one batch.
ReplicationBatch read_batch(wire::Batch::Reader in);
void write_batch(const ReplicationBatch& value, wire::Batch::Builder out);
// Of a page or a batch, beside its records.
inline constexpr std::size_t kWordsPerPage = 32;
// Words that the records take on the wire.
std::size_t words_of(const std::vector<ChangeRecord>& records);
// First-segment size that holds a message of so many words without another allocation.
capnp::MessageSize size_hint(std::size_t words);
std::vector<ReplicationBatch> read_batches(capnp::List<wire::Batch>::Reader in);

ApplyOutcome read_outcome(wire::ApplyOutcome::Reader in);
void write_outcome(const ApplyOutcome& value, wire::ApplyOutcome::Builder out);
std::vector<ApplyOutcome> read_outcomes(capnp::List<wire::ApplyOutcome>::Reader in);
ApplyStatus read_apply_status(wire::ApplyStatus in);
wire::ApplyStatus write_apply_status(ApplyStatus value);

// `origin`: the region whose log is read; a page holds records of local origin only.
LogPage read_page(wire::LogPage::Reader in, const RegionId& origin);
void write_page(const LogPage& value, wire::LogPage::Builder out);

std::vector<LogPage> read_pages(capnp::List<wire::LogPage>::Reader in, const RegionId& origin);
std::vector<LogRead> read_log_reads(capnp::List<wire::LogRead>::Reader in);
void write_log_read(const LogRead& value, wire::LogRead::Builder out);

RowsRead read_rows_read(wire::RowsRead::Reader in);
void write_rows_read(const RowsRead& value, wire::RowsRead::Builder out);
// Keys must ascend, and the rows fit into one page.
RowsPage read_rows_page(wire::RowsPage::Reader in);
void write_rows_page(const RowsPage& value, wire::RowsPage::Builder out);
OfferQuestion read_offer_question(wire::Region::OfferCopyParams::Reader in);
void write_offer_question(const OfferQuestion& value, wire::Region::OfferCopyParams::Builder out);
CopyOffer read_copy_offer(wire::CopyOffer::Reader in);
void write_copy_offer(const CopyOffer& value, wire::CopyOffer::Builder out);
// Words that the rows take on the wire.
std::size_t words_of(const std::vector<Row>& rows);

RegionId read_region(capnp::Text::Reader in);
Role read_role(wire::Role in);
wire::Role write_role(Role value);

TableDefinition read_definition(wire::TableDefinition::Reader in);
void write_definition(const TableDefinition& value, wire::TableDefinition::Builder out);

ReplicatedTables read_tables(wire::Region::ReplicatedTablesResults::Reader in);
void write_tables(const ReplicatedTables& value,
                  wire::Region::ReplicatedTablesResults::Builder out);

std::vector<Acknowledgement> read_acknowledgements(capnp::List<wire::Acknowledgement>::Reader in);
void write_acknowledgements(const std::vector<Acknowledgement>& values,
                            wire::Region::AcknowledgeParams::Builder out);

std::vector<BacklogQuery> read_queries(capnp::List<wire::BacklogQuery>::Reader in);
void write_queries(const std::vector<BacklogQuery>& values,
                   wire::Region::BacklogParams::Builder out);
std::vector<BacklogAnswer> read_backlogs(capnp::List<wire::Backlog>::Reader in);
void write_backlogs(const std::vector<BacklogAnswer>& values,
                    wire::Region::BacklogResults::Builder out);

std::vector<TableId> read_table_ids(capnp::List<wire::TableId>::Reader in);
void write_table_ids(const std::vector<TableId>& values, capnp::List<wire::TableId>::Builder out);

Barrier read_barrier(wire::Barrier::Reader in);
void write_barrier(const Barrier& value, wire::Barrier::Builder out);
std::vector<Barrier> read_barriers(capnp::List<wire::Barrier>::Reader in);
void write_barriers(const std::vector<Barrier>& values, wire::Region::AdvanceParams::Builder out);
std::vector<std::vector<TableId>> read_reached(capnp::List<wire::TableIds>::Reader in);
void write_reached(const std::vector<std::vector<TableId>>& values,
                   wire::Region::AdvanceResults::Builder out);

std::vector<TableWatermarks> read_watermarks(capnp::List<wire::TableWatermarks>::Reader in);
void write_watermarks(const std::vector<TableWatermarks>& values,
                      wire::Region::WatermarksResults::Builder out);

}  // namespace meridian::rpc

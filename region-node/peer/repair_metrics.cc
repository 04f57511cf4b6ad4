#include "region-node/peer/repair_metrics.h"

namespace meridian::peer {

void collect_repair(const RepairStatus& status, MetricsPage& page) {
  MetricLabels pair{{"table", status.table}, {"peer", std::string(status.peer.name())}};
  auto number = [](auto value) { return static_cast<double>(value); };
  page.gauge("meridian_repair_needed",
             "1 while the peer's copy is to be repaired before this region's flows to it go on.",
             status.needed.empty() ? 0 : 1, pair);
  page.gauge("meridian_repair_running",
             "1 while this region repairs the table with the peer, over both links between them.",
             status.doing == "repair" ? 1 : 0, pair);
  page.gauge("meridian_repair_writes_frozen",
             "1 while this region takes no writes of the table, having lost some of its own.",
             status.frozen ? 1 : 0, pair);
  page.counter("meridian_repairs_total", "Repairs finished that this region began.",
               number(status.repairs), pair);
  page.counter("meridian_repair_rows_total", "Rows that they moved or dropped.",
               number(status.rows_repaired), pair);
  page.counter("meridian_repair_bytes_total", "Bytes that they exchanged, both ways.",
               number(status.bytes_exchanged), pair);
  if (!status.scrubbed_wall_ms) return;
  page.gauge("meridian_scrub_last_timestamp_seconds",
             "When the table was last compared with the peer.",
             number(*status.scrubbed_wall_ms) / 1000, pair);
  page.gauge("meridian_scrub_rows", "Rows of the peer that were compared then.",
             number(status.scrub_rows), pair);
  page.gauge("meridian_scrub_differing_rows",
             "Rows that differed then and were not merely on their way.",
             number(status.scrub_differing), pair);
}

}  // namespace meridian::peer

package io.hypercalld.api.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.EmbeddedPlatforms;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The first document's scenarios 8 and 12 to 14, and its questions 1, 2 and 4, with their numbers.
 */
final class TableCostAcceptanceTest {
  private static final String CAP_WITH_SUPERPAGES = "0x08d2078c106f0602";
  private static final String CAP_WITH_4K_AND_1G = "0x08d20788106f0602";

  private static XenHost xen;
  private static PassthroughHost host;

  @BeforeAll
  static void start() {
    xen =
        XenHost.on(
            PlatformSource.named(EmbeddedPlatforms.DEFAULT)
                .load()
                .platform()
                .withMemory(160L << 30));
    host = new PassthroughHost(xen);
  }

  @AfterAll
  static void stop() {
    xen.close();
  }

  @BeforeEach
  void begin() {
    host.begin();
  }

  @ParameterizedTest(name = "8 {0} with {1} in frames of {2}: {5} tables, {6} KiB")
  @CsvSource({
    "4GiB, 4KiB, 4KiB, 130, 2080, 2053, 8212",
    "4GiB, 4KiB, 16KiB, 130, 2080, 2053, 32848",
    "4GiB, 4KiB 2MiB, 4KiB, 130, 2080, 5, 20",
    "4GiB, 4KiB 2MiB 1GiB, 4KiB, 130, 2080, 1, 4",
    "64GiB, 4KiB, 4KiB, 2050, 32800, 32833, 131332",
    "64GiB, 4KiB, 16KiB, 2050, 32800, 32833, 525328",
    "64GiB, 4KiB 2MiB, 4KiB, 2050, 32800, 65, 260",
    "64GiB, 4KiB 2MiB 1GiB, 4KiB, 2050, 32800, 1, 4"
  })
  void tables_ofAPopulatedGuest_takeWhatTheDocumentSays(
      String memory,
      String leaves,
      String frames,
      long p2mTables,
      long p2mKib,
      long iommuTables,
      long iommuKib) {
    int guest =
        host.separate(
            memory,
            "'" + leaves.replace(" ", "','") + "'",
            ",'p2mPageSize':'16KiB','tableFrameSize':'" + frames + "'");

    JsonNode counters = host.counters(guest);

    assertThat(counters.at("/p2m/tables").asLong()).isEqualTo(p2mTables);
    assertThat(counters.at("/p2m/tableBytes").asLong()).isEqualTo(p2mKib << 10);
    assertThat(counters.at("/iommu/tables").asLong()).isEqualTo(iommuTables);
    assertThat(counters.at("/iommu/tableBytes").asLong()).isEqualTo(iommuKib << 10);
  }

  @ParameterizedTest(name = "8 dom0 set aside {1} pages for {0}")
  @CsvSource({"4GiB, 2048, 33554432", "64GiB, 32768, 536870912"})
  void reserve_ofDom0_isAsTheFormulaSays(String memory, long pages, long bytes) {
    JsonNode reserve =
        experiment("{'memory':'" + memory + "','operations':0,'modes':[]}").get("reserve");

    assertThat(reserve.get("pages").asLong()).isEqualTo(pages);
    assertThat(reserve.get("bytes").asLong()).isEqualTo(bytes);
  }

  @Test
  @DisplayName("12 one unit without 2 MiB leaves rules sharing out for the whole host")
  void unitWithoutSuperpages_rulesSharingOut(@TempDir Path folder) throws IOException {
    assertThat(host.machine().at("/passthrough/enabled").asText()).isEqualTo("share_pt");
    assertThat(capabilityBit5(host.machine())).isTrue();
    String platform = EmbeddedPlatforms.find(EmbeddedPlatforms.DEFAULT).orElseThrow();
    Path file =
        Files.writeString(
            folder.resolve("plain.yaml"),
            platform.replaceFirst(CAP_WITH_SUPERPAGES, CAP_WITH_4K_AND_1G));
    try (DaemonUnderTest daemon = DaemonUnderTest.on(PlatformSource.named(file.toString()))) {
      JsonNode machine = daemon.get("/v1/machine").body();
      assertThat(machine.at("/passthrough/enabled").asText()).isEqualTo("sync_pt");
      assertThat(machine.at("/passthrough/sharePt").asBoolean()).isFalse();
      assertThat(machine.at("/passthrough/reason").asText())
          .isEqualTo("iommu 0 has no leaves of 2097152 bytes");
      assertThat(capabilityBit5(machine)).isFalse();
      Answer refused =
          daemon.post("/v1/domains", "{\"memory\":\"2MiB\",\"pageTables\":\"shared\"}");
      assertThat(refused.at("/errno")).isEqualTo("EOPNOTSUPP");
      assertThat(daemon.post("/v1/domains", "{\"memory\":\"2MiB\"}").at("/pageTables"))
          .isEqualTo("separate");
    }
  }

  private static boolean capabilityBit5(JsonNode machine) {
    return (Long.decode(machine.at("/passthrough/capabilities").asText()) >>> 5 & 1) != 0;
  }

  @Test
  @DisplayName("13 three ways, one trace, the same mappings in the end")
  void threeModes_onOneTrace_endWithTheSameMappings() {
    JsonNode answer =
        experiment(
            "{'memory':'16MiB','operations':10000,'sweep':'16MiB',"
                + "'modes':['separate-4K','separate-2M','shared-4K']}");

    assertThat(answer.get("sameMappings").asBoolean()).isTrue();
    // Each of 8 leaves of 2 MiB is split once, into 512.
    assertThat(column(answer, "/p2m/bytes")).containsExactly(3L << 14, 3L << 14, 11L << 12);
    assertThat(column(answer, "/iommu/bytes")).containsExactly(10L << 12, 2L << 12, 0L);
    assertThat(column(answer, "/changes/p2mWrites")).containsExactly(10_000L, 10_000L, 40_000L);
    assertThat(column(answer, "/changes/iommuWrites"))
        .containsExactly(40_000L, 40_000L + 8 * 512, 0L);
    assertThat(column(answer, "/changes/splits")).containsExactly(0L, 8L, 0L);
    assertThat(column(answer, "/access/tlbInserts")).containsExactly(1024L, 1024L, 4096L);
    // At least every other change takes a page away, which is a flush, or four of small pages.
    long taken = column(answer, "/changes/flushes").getFirst();
    assertThat(taken).isBetween(5_000L, (10_000L + 1024) / 2);
    assertThat(column(answer, "/changes/flushes")).containsExactly(taken, taken, 4 * taken);
    long faults = column(answer, "/access/faults").getFirst();
    assertThat(faults).isPositive();
    assertThat(column(answer, "/access/faults")).containsOnly(faults);
  }

  /** One number of every mode. */
  private static List<Long> column(JsonNode answer, String pointer) {
    List<Long> numbers = new ArrayList<>();
    answer.get("modes").forEach(mode -> numbers.add(mode.at(pointer).asLong()));
    return numbers;
  }

  @Test
  @DisplayName("14 dom0's table never gets past a page of Xen's as shipped, and does fixed")
  void pageOfXen_insideDom0Ram_stopsTheLoopAsShipped() {
    String question =
        "{'profile':'%s','ram':[{'base':'0x0','limit':'0x3fffffff'}],"
            + "'xen':[{'base':'0x4000000','limit':'0x4ffffff'}]}";

    JsonNode shipped = dom0Table(question.formatted("as-shipped"));
    JsonNode fixed = dom0Table(question.formatted("fixed"));

    assertThat(shipped.get("outcome").asText()).isEqualTo("stuck");
    assertThat(shipped.get("at").asText()).isEqualTo("0x4000000");
    assertThat(shipped.get("mapped").asLong()).isEqualTo(0x4000);
    assertThat(fixed.get("outcome").asText()).isEqualTo("built");
    assertThat(fixed.get("mapped").asLong()).isEqualTo(0x40000 - 0x1000);
  }

  private static JsonNode dom0Table(String question) {
    return xen.daemon()
        .post("/v1/experiments/hardware-domain-table", question.replace('\'', '"'))
        .body();
  }

  @Test
  @DisplayName("Q2 a change costs four words, a flush if it takes away, and one split at first")
  void changes_costWhatTheDocumentSays() {
    int guest = host.separate("64MiB", "'4KiB'", ",'p2mPageSize':'16KiB'");
    host.assign(guest);
    host.resetCounters();
    for (int i = 0; i < 10; i++) {
      host.decrease(guest, "0x" + Integer.toHexString(0x40 * i + 4), 2);
    }
    assertThat(host.counter(guest, "/iommu/entryWrites")).isEqualTo(4 * 10);
    assertThat(host.flushes()).isEqualTo(10);
    host.begin();
    guest = host.separate("64MiB", "'4KiB','2MiB'", ",'p2mPageSize':'16KiB'");
    host.assign(guest);
    host.resetCounters();
    host.decrease(guest, "0x4", 2);
    assertThat(host.counter(guest, "/iommu/entryWrites")).isEqualTo(512 + 4);
    host.decrease(guest, "0x8", 2);
    assertThat(host.counter(guest, "/iommu/entryWrites")).isEqualTo(512 + 4 + 4);
    assertThat(host.counter(guest, "/iommu/splits")).isEqualTo(1);
  }

  @Test
  @DisplayName("Q4 a sweep of 64 MiB costs 4,096 TLB inserts at 16 KiB and 16,384 at 4 KiB")
  void sweep_costsAnInsertAPage() {
    JsonNode answer =
        experiment(
            "{'memory':'64MiB','operations':0,'sweep':'64MiB',"
                + "'modes':['separate-4K','shared-4K']}");

    assertThat(answer.at("/modes/0/access/tlbInserts").asLong()).isEqualTo(4096);
    assertThat(answer.at("/modes/1/access/tlbInserts").asLong()).isEqualTo(16_384);
  }

  private static JsonNode experiment(String question) {
    Answer answer = xen.daemon().post("/v1/experiments/page-tables", question.replace('\'', '"'));
    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(200);
    return answer.body();
  }
}

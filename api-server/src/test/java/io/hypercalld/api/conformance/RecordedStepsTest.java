package io.hypercalld.api.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.vtd.Habits;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Kinds of steps and deviations that the format has, each in a case made for it. */
final class RecordedStepsTest {
  private static final String BEGIN =
      """
      {"id":"MADE1","variant":{"aw_bits":39},"devices":[{"sid":"0x20"}],
      "cap":"0xd2008c22260206","ecap":"0xf00f4a","fills":[["0x2000000",4096]],
      "mem":[["0x100000","0x101001"],["0x101200","0x110001"],["0x101208","0x101"],
      ["0x110000","0x111003"],["0x111000","0x112003"],["0x112000","0x2000003"],
      ["0x112008","0x2001001"]],
      "steps":[{"op":"w64","off":"0x20","val":"0x100000"},
      {"op":"w32","off":"0x18","val":"0x40000000"},{"op":"w32","off":"0x18","val":"0x80000000"},
      {"op":"w64","off":"0x90","val":"0x300000"},{"op":"w32","off":"0x18","val":"0x84000000"},
      """;

  private static Corpus.Said judged(String steps, String registers) {
    Corpus.Said said = new Corpus.Said();
    Report report = new Report(said.out);
    String line = (BEGIN + steps + "],\"final\":{" + registers + "}}").replace("\n", "");
    CaseRun.run(CaseReader.read(Corpus.parse(line)), Habits.LENIENT, report);
    report.close();
    return said;
  }

  private static void assertPasses(Corpus.Said said) {
    assertThat(said.failures()).isEmpty();
    assertThat(said.lines()).last().asString().startsWith("1 passed, 0 failed, ");
  }

  /** A bad descriptor, IQE cleared, the descriptor repaired, the tail written again. */
  private static String repairedQueue(String headAfterClearing) {
    return """
    {"op":"mem","writes":[["0x300000","0xf"],["0x300008","0x0"]]},
    {"op":"w64","off":"0x88","val":"0x10"},{"op":"r64","off":"0x80","result":"0x0"},
    {"op":"faultregs","result":{"fsts":"0x10","frcd_lo":"0x0","frcd_hi":"0x0"}},
    {"op":"mem","writes":[["0x300000","0x700000025"],["0x300008","0x2f0000"]]},
    {"op":"w32","off":"0x34","val":"0x10"},{"op":"r64","off":"0x80","result":"%s"},
    {"op":"memr","addr":"0x2f0000","result":"%s"},
    {"op":"w64","off":"0x88","val":"0x10"},{"op":"r64","off":"0x80","result":"0x10"},
    {"op":"memr","addr":"0x2f0000","result":"0x7"}\
    """
        .formatted(headAfterClearing, headAfterClearing.equals("0x0") ? "0x0" : "0x7");
  }

  @Test
  void queueThatWaitsForTheTailAfterAnError_isQ2_andBothMachinesMeetAgain() {
    Corpus.Said said = judged(repairedQueue("0x0"), "\"iqh\":\"0x10\",\"fsts\":\"0x0\"");

    assertPasses(said);
    assertThat(said.lines()).anyMatch(line -> line.startsWith("freedom Q2 "));
  }

  @Test
  void queueThatGoesOnByItself_isNotTheRecordedOne() {
    assertThat(judged(repairedQueue("0x10"), "").failures())
        .containsExactly("FAIL MADE1 step 11 register 0x80: expected 0x10, got 0x10");
  }

  @ParameterizedTest
  @CsvSource({"0xc4000000, true", "0xc0000000, false"})
  void queueSwitchedOffBehindAnythingButAWait_staysOnInTheRecording(String status, boolean right) {
    Corpus.Said said =
        judged(
            """
            {"op":"mem","writes":[["0x300000","0x12"],["0x300008","0x0"]]},
            {"op":"w64","off":"0x88","val":"0x10"},{"op":"w32","off":"0x18","val":"0x80000000"},
            {"op":"r32","off":"0x1c","result":"%s"}\
            """
                .formatted(status),
            "");

    assertThat(said.failures().isEmpty()).isEqualTo(right);
  }

  @Test
  void hitWithoutPermissionThatIsDropped_leavesNoRecordInTheRecordingOnly() {
    String dma =
        """
        {"op":"dma","dev":0,"dir":"r","iova":"0x1000","len":4,"data":"00000000","sid":"0x20",
        "uncached_spec":[{"ok":true,"gpa":"0x2001000","kind":"walk"}],
        "segs":[{"iova":"0x1000","len":4,"gpa":"0x2001000","ok":true}],
        "regs":{"fsts":"0x0","frcd_lo":"0x0","frcd_hi":"0x0"}},
        {"op":"dma","dev":0,"dir":"w","iova":"0x1000","len":4,"data":"01020304","sid":"0x20",
        "uncached_spec":[{"ok":false,"reason":5,"fpd":false}],
        "segs":[{"iova":"0x1000","len":4,"ok":false,"fault":null,"silent_drop":true,
        "allowed":["fault:0x5"],"deviation":"silent-permission-miss"}],
        "regs":{"fsts":"%s","frcd_lo":"0x0","frcd_hi":"0x0"}}\
        """;

    Corpus.Said said = judged(dma.formatted("0x0"), "\"fsts\":\"0x0\",\"frcd_lo\":\"0x0\"");

    assertPasses(said);
    assertThat(said.lines())
        .contains(
            "deviation D1 silent-permission-miss (a hit without permission is dropped silently): 1")
        .anyMatch(line -> line.startsWith("held to both models after D1 "));
    assertThat(judged(dma.formatted("0x2"), "").failures())
        .containsExactly("FAIL MADE1 step 6 FSTS: expected 0x2, got 0x2");
  }

  @Test
  void deviceThatIsNoBusMaster_makesNoRequest() {
    String steps =
        """
        {"op":"cfgw","dev":0,"off":"0x4","val":"%s"},
        {"op":"dma","dev":0,"dir":"w","iova":"0x0","len":4,"data":"01020304","sid":"0x20",
        "uncached_spec":[null],"segs":[{"iova":"0x0","len":4,"ok":null,"bus_master_off":true}]},
        {"op":"memr","addr":"0x2000000","result":"0x5aa5000002000000"}\
        """;

    assertPasses(judged(steps.formatted("0x2"), ""));
    assertThat(judged(steps.formatted("0x6"), "").failures())
        .containsExactly(
            "FAIL MADE1 step 6 segment 0 outcome: expected BUS_MASTER_OFF, got ok:0x2000000");
  }

  @Test
  void interruptRequestByAPlainWrite_isJudgedByItsRule() {
    String write =
        """
        {"op":"dma","dev":0,"dir":"w","iova":"0xfee00000","len":4,"data":"41000000","sid":"0x20",
        "spec_ir":{"ok":true,"kind":"compat","vector":"%s","dest":"0x0","dest_mode":0},
        "ir_ok":true}\
        """;

    assertPasses(judged(write.formatted("0x41"), ""));
    assertThat(judged(write.formatted("0x42"), "").failures()).hasSize(1);
  }

  @Test
  void longerWriteToTheInterruptRange_isSeveralInterruptsInTheRecordingOnly() {
    assertPasses(
        judged(
            """
            {"op":"dma","dev":0,"dir":"w","iova":"0xfee00000","len":8,"data":"4100000042000000",
            "sid":"0x20","uncached_spec":[{"ok":true,"gpa":"0xfee00000","kind":"intr"}],
            "segs":[{"iova":"0xfee00000","len":8,"ok":true,"interrupt_range":true}],
            "vtd_msi":[{"addr":"0xfee00000","data":"0x41"}]}\
            """,
            ""));
  }

  @Test
  void whatNobodyKnows_isLeftOutWithItsReason() {
    Corpus.Said said =
        judged("{\"op\":\"warp\",\"how\":1}", "\"gsts\":\"0xc4000000\",\"warp\":\"0x1\"");

    assertPasses(said);
    assertThat(said.lines().stream().filter(line -> line.startsWith("skip ")).toList())
        .isEqualTo(
            List.of(
                "skip MADE1 step 5: unknown operation warp",
                "skip MADE1 final warp: unknown register"));
  }
}

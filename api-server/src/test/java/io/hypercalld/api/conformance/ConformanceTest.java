package io.hypercalld.api.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Index.atIndex;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The judge of recordings: what it lets pass, what it does not, and what it says. */
final class ConformanceTest {
  /** One page mapped, read, and read beyond; the second read faults and is recorded. */
  private static final String CASE =
      """
      {"id":"ONE","title":"t","unknown":[1],"variant":{"aw_bits":39},"devices":[{"sid":"0x20"}],
      "cap":"0xd2008c22260206","ecap":"0xf00f4a","fills":[["0x2000000",4096]],
      "mem":[["0x100000","0x101001"],["0x101200","0x110001"],["0x101208","0x101"],
      ["0x110000","0x111003"],["0x111000","0x112003"],["0x112000","0x2000003"]],
      "steps":[{"op":"w64","off":"0x20","val":"0x100000"},
      {"op":"w32","off":"0x18","val":"0x40000000"},{"op":"w32","off":"0x18","val":"0x80000000"},
      {"op":"dma","dev":0,"dir":"r","iova":"0x8","len":8,"data":"080000020000a55a",
      "uncached_spec":[{"ok":true,"gpa":"0x2000008","kind":"walk"}],
      "segs":[{"iova":"0x8","len":8,"gpa":"0x2000008","ok":true}],
      "regs":{"fsts":"0x0","frcd_lo":"0x0","frcd_hi":"0x0"}},
      {"op":"dma","dev":0,"dir":"r","iova":"0x1000","len":8,"data":"0000000000000000",
      "uncached_spec":[{"ok":false,"reason":6,"fpd":false}],
      "segs":[{"iova":"0x1000","len":8,"gpa":null,"ok":false,"fault":{"reason":6,"sid":"0x20","addr":"0x1000"}}],
      "regs":{"fsts":"0x2","frcd_lo":"0x1000","frcd_hi":"0xc0ffff0600000020"}},
      {"op":"memr","addr":"0x112000","result":"0x2000003"},
      {"op":"r32","off":"0x1c","result":"0xc0000000"}],
      "final":{"gsts":"0xc0000000","fsts":"0x2"}}
      """
          .replace("\n", "");

  @TempDir private Path directory;
  private List<String> unreadable = List.of();

  private Path file(String name, String text) throws IOException {
    return Files.writeString(directory.resolve(name), text);
  }

  private List<String> linesOf(Path... recordings) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, false, StandardCharsets.UTF_8);
    unreadable = Conformance.run(List.of(recordings), false, out).unreadable();
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void caseThatConforms_passesAndNamesTheDeviationsOfTheRecording() throws IOException {
    assertThat(linesOf(file("one.jsonl", CASE))).last().isEqualTo("1 passed, 0 failed, 0 skipped");
    assertThat(linesOf(file("one.jsonl", CASE))).anyMatch(line -> line.startsWith("freedom D6 "));
  }

  @Test
  void compressedFileAndDirectory_areReadLikeAPlainFile() throws IOException {
    try (OutputStream out =
        new GZIPOutputStream(Files.newOutputStream(directory.resolve("one.jsonl.gz")))) {
      out.write(CASE.getBytes(StandardCharsets.UTF_8));
    }
    file("README.md", "no recording");

    assertThat(linesOf(directory)).last().isEqualTo("1 passed, 0 failed, 0 skipped");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "gpa":"0x2000008","kind" | "gpa":"0x2000010","kind" | step 3 segment 0 outcome: expected [ok:0x2000010], got ok:0x2000008
          080000020000a55a         | 080000020000a55b         | step 3 segment 0 data: expected 080000020000a55b, got 080000020000a55a
          "reason":6,"fpd":false   | "reason":6,"fpd":true    | step 4 segment 0 outcome: expected [fpd], got fault:0x6
          "reason":6,"fpd":false   | "reason":7,"fpd":false   | step 4 segment 0 outcome: expected [fault:0x7], got fault:0x6
          "frcd_lo":"0x1000"       | "frcd_lo":"0x2000"       | step 4 FRCD.lo: expected 0x2000, got 0x1000
          "fsts":"0x2","frcd_lo"   | "fsts":"0x3","frcd_lo"   | step 4 FSTS: expected 0x3, got 0x2
          c0ffff0600000020         | c0ffff0600000028         | step 4 FRCD.hi: expected 0xc0ffff0600000028, got 0xc000000600000020
          "result":"0x2000003"     | "result":"0x2000007"     | step 5 memory 0x112000: expected 0x2000007, got 0x2000003
          "result":"0xc0000000"    | "result":"0x80000000"    | step 6 register 0x1c: expected 0x80000000, got 0xc0000000
          "gsts":"0xc0000000"      | "gsts":"0xc4000000"      | final gsts: expected 0xc4000000, got 0xc0000000
          """)
  void caseThatExpectsSomethingElse_failsAtThatStep(String right, String wrong, String line)
      throws IOException {
    Path changed = file("one.jsonl", CASE.replace(right, wrong));

    assertThat(linesOf(changed))
        .contains("FAIL ONE " + line)
        .last()
        .isEqualTo("0 passed, 1 failed, 0 skipped");
  }

  @Test
  void stepOfAnUnknownKind_isSkippedWithItsReason() throws IOException {
    Path unknown = file("one.jsonl", CASE.replace("\"memr\"", "\"warp\""));

    assertThat(linesOf(unknown))
        .contains("skip ONE step 5: unknown operation warp")
        .last()
        .isEqualTo("1 passed, 0 failed, 1 skipped");
  }

  @ParameterizedTest
  @ValueSource(strings = {"nothing", "{}", "[]", "{\"id\":\"X\",\"variant\":{}}", "{\"id\":"})
  void lineThatIsNoCase_isToldWithFileAndLine_andTheOthersAreJudged(String text)
      throws IOException {
    Path file = file("bad.jsonl", CASE + "\n" + text + "\n" + CASE + "\n");

    assertThat(linesOf(file)).last().isEqualTo("2 passed, 0 failed, 0 skipped");
    assertThat(unreadable)
        .singleElement()
        .satisfies(line -> assertThat(line).contains("bad.jsonl:2: ").doesNotContain("\n"));
  }

  @Test
  void pathWithoutRecordings_isUnreadable_andTheOthersAreJudged() throws IOException {
    Path empty = Files.createDirectory(directory.resolve("empty"));

    assertThat(
            linesOf(
                directory.resolve("none"), empty, file("no.jsonl", ""), file("one.jsonl", CASE)))
        .last()
        .isEqualTo("1 passed, 0 failed, 0 skipped");
    assertThat(unreadable)
        .hasSize(3)
        .satisfies(line -> assertThat(line).endsWith("none: no such file"), atIndex(0))
        .satisfies(
            line -> assertThat(line).endsWith("no corpus file and no capture in this directory"),
            atIndex(1))
        .satisfies(line -> assertThat(line).endsWith("no.jsonl: is empty"), atIndex(2));
  }

  @Test
  void fileThatEndsInTheMiddle_isUnreadableFromThereOn() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(bytes)) {
      out.write((CASE + "\n" + CASE + "\n").getBytes(StandardCharsets.UTF_8));
    }
    Path cut = directory.resolve("cut.jsonl.gz");
    Files.write(cut, Arrays.copyOf(bytes.toByteArray(), bytes.size() - 12));

    linesOf(cut, file("blank.jsonl", "\n \n"));

    assertThat(unreadable)
        .hasSize(2)
        .satisfies(line -> assertThat(line).contains("cut.jsonl.gz: cannot be read: "), atIndex(0))
        .satisfies(line -> assertThat(line).endsWith("blank.jsonl: is empty"), atIndex(1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "cap":"0xd2008c22260206" | "cap":"0x0"          | no such unit:
          "aw_bits":39             | "aw_bits":65         | "aw_bits" is 65, not below 64
          "sid":"0x20"}]           | "sid":"0x12345"}]    | "sid" is 74565, not below 65536
          ["0x2000000",4096]       | ["0x2000001",4096]   | no multiple of 8: 0x2000001
          ["0x2000000",4096]       | ["0x2000000",-8]     | a fill of -8 bytes
          "off":"0x18"             | "off":"0x10000"      | "off" is 65536, not below 65536
          "len":8,"data"           | "len":-1,"data"      | "len" is -1, not below
          """)
  void numberThatNothingHas_isToldWithItsCase(String right, String wrong, String why)
      throws IOException {
    linesOf(file("one.jsonl", CASE.replace(right, wrong)));

    assertThat(unreadable).singleElement().asString().contains("one.jsonl:1: ONE: " + why);
  }

  @Test
  void labels_haveTheNumbersOfTheCorpusDescription() {
    assertThat(
            Stream.of(
                    "silent-permission-miss",
                    "legacy-reason-0xc-in-scalable-mode",
                    "dirty-bit-not-set-on-iotlb-hit",
                    "svt-bus-range-swapped")
                .map(Deviation::labelled))
        .extracting(label -> label.substring(0, 2))
        .containsExactly("D1", "F6", "F1", "I3");
    assertThat(Deviation.labelled("never-seen")).isEqualTo("never-seen");
  }
}

package io.hypercalld.api.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.api.event.Feed;
import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.AdvanceClock;
import io.hypercalld.api.machine.ComposeDomain;
import io.hypercalld.api.machine.DeviceDma;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.api.machine.Preempt;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.DestroyDomain;
import io.hypercalld.core.hypercall.PauseDomain;
import io.hypercalld.core.hypercall.UnpauseDomain;
import io.hypercalld.iommu.hypercall.AssignDevice;
import io.hypercalld.iommu.pci.Sbdf;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JournalReplayTest {
  private final Machine machine = new Machine(PlatformSource.named("two-socket").load().platform());

  @AfterEach
  void close() {
    machine.close();
  }

  private static byte[] export(Machine machine, boolean compressed) {
    Feed feed = new JournalFeed(machine, compressed);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Feed.Piece piece;
    do {
      piece = feed.next();
      bytes.writeBytes(piece.bytes().array());
    } while (!piece.last());
    return bytes.toByteArray();
  }

  private static JournalReplay.Replayed replay(byte[] journal) {
    return JournalReplay.run(new ByteArrayInputStream(journal));
  }

  /** Commands of every kind, refused ones among them. */
  private void live() {
    DomainId guest =
        machine
            .execute(
                new ComposeDomain(
                    Optional.of("web"),
                    Optional.empty(),
                    DomainType.HVM,
                    64L << 20,
                    2,
                    MemoryPolicies.usual()))
            .id();
    Sbdf device = machine.driver().devices().all().stream().toList().getLast().sbdf();
    machine.call(DomainId.DOM0, new UnpauseDomain(guest));
    machine.call(DomainId.DOM0, new PauseDomain(new DomainId(77)));
    machine.call(DomainId.DOM0, new AssignDevice(guest, device, 0, 0));
    machine.execute(new AdvanceClock(5_000_000));
    machine.execute(
        new DeviceDma(
            device, new Word(0x1000), 4, Optional.of(HexBytes.parse("deadbeef").orElseThrow())));
    machine.execute(new DeviceDma(device, new Word(1L << 45), 4, Optional.empty()));
    assertThatThrownBy(
            () ->
                machine.execute(
                    new DeviceDma(new Sbdf(9, 9, 9, 1), new Word(0), 4, Optional.empty())))
        .isInstanceOf(Refusal.class);
    machine.execute(new Preempt(3));
    machine.hypercalls().start(DomainId.DOM0, new DestroyDomain(guest));
    machine.hypercalls().resume(1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void journal_executedAgain_endsInTheSameDigestAndJournal(boolean compressed) {
    live();
    byte[] journal = export(machine, compressed);

    JournalReplay.Replayed replayed = replay(journal);

    try (Machine again = replayed.machine()) {
      assertThat(replayed.commands()).isEqualTo(11);
      assertThat(again.digest()).isEqualTo(machine.digest());
      assertThat(export(again, compressed)).isEqualTo(journal);
      again.hypercalls().resume(1);
      machine.hypercalls().resume(1);
      assertThat(again.digest()).isEqualTo(machine.digest());
    }
  }

  @Test
  void commandsWithinACommand_areNotExecutedTwice() {
    live();

    assertThat(new String(export(machine, false), UTF_8))
        .contains("\"command\":\"ComposeDomain\"")
        .doesNotContain("\"op\":\"createdomain\"");
  }

  @Test
  void journal_damaged_isRefusedWithTheLine() {
    live();
    List<String> lines = new String(export(machine, false), UTF_8).lines().toList();

    assertRefused("", "ends before its last line");
    assertRefused("{}", "line 1: this is no journal");
    assertRefused("nonsense", "line 1: this is no line of JSON");
    assertRefused(lines.getFirst().replace("\"version\":1", "\"version\":2"), "version 2");
    assertRefused(String.join("\n", lines.subList(0, 5)), "ends before its last line");
    assertRefused(
        String.join("\n", lines.getFirst(), lines.get(2), lines.getLast()), "command 1 is missing");
    assertRefused(String.join("\n", lines).replace("\"AdvanceClock\"", "\"Format\""), "no command");
    assertRefused(
        String.join("\n", lines).replace("5000000", "5000001"), "the commands lead to digest");
    assertRefused(String.join("\n", lines).replace("\"end\":11", "\"end\":12"), "12 commands");
  }

  private static void assertRefused(String journal, String why) {
    assertThatThrownBy(() -> replay(journal.getBytes(UTF_8)))
        .isInstanceOfSatisfying(
            InvalidBody.class, refused -> assertThat(refused.detail()).contains(why));
  }

  @Test
  void compressedJournal_cutOff_isRefused() {
    live();
    byte[] journal = export(machine, true);

    assertThatThrownBy(() -> replay(java.util.Arrays.copyOf(journal, journal.length / 2)))
        .isInstanceOf(InvalidBody.class);
  }
}

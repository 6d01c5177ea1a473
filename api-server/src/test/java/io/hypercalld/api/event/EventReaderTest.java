package io.hypercalld.api.event;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.SimNotice;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.notice.NoticeKind;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a reader is sent, fast or slow. */
final class EventReaderTest {
  private static final long BOOT_MILLIS = 7;
  private static final long BOOT = 7000;

  private final Machine machine = new Machine(PlatformSource.named("two-socket").load().platform());
  private final AtomicLong nanos = new AtomicLong();
  private final EventStream stream = new EventStream("/v1", () -> BOOT_MILLIS, nanos::get);

  @AfterEach
  void close() {
    machine.close();
  }

  private void happen(int times) {
    stream.listen(machine);
    for (int i = 0; i < times; i++) {
      machine.hypervisor().notices().tell(SimNotice.CLOCK_ADVANCED, new SimNotice.Advanced(1, i));
      stream.publish(machine, Optional.of("r1"));
    }
  }

  private EventReader reader(EventReader.Format format) {
    return stream.read(EventFilter.USUAL, format, Optional.empty());
  }

  private static String text(Feed.Piece piece) {
    return UTF_8.decode(piece.bytes().duplicate()).toString();
  }

  @Test
  void sse_beginsWithRetry_numbersEvents_andPingsAfterFifteenSecondsOfSilence() {
    EventReader reader = reader(EventReader.Format.SSE);

    assertThat(text(reader.next())).isEqualTo("retry: 2000\n\n");
    happen(2);
    assertThat(text(reader.next()))
        .startsWith("id: 7001\nevent: sim.clock.advanced\ndata: {\"specversion\":\"1.0\",")
        .contains("\n\nid: 7002\n")
        .endsWith("\n\n");
    nanos.addAndGet(TimeUnit.SECONDS.toNanos(15) - 1);
    assertThat(text(reader.next())).isEmpty();
    nanos.incrementAndGet();
    assertThat(text(reader.next())).isEqualTo(": ping\n\n");
    assertThat(text(reader.next())).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(EventReader.Format.class)
  void reader_thatIsOvertaken_isToldCutAndCounted(EventReader.Format format) {
    EventReader reader = reader(format);
    reader.next();
    happen(1);
    reader.next();
    happen(EventStream.CAPACITY + 1);

    assertThat(reader.isUrgent()).isTrue();
    Feed.Piece last = reader.next();

    assertThat(last.last()).isTrue();
    assertThat(text(last)).contains("stream.overflow", "\"last\":\"7001\"", "\"oldest\":\"7003\"");
    assertThat(stream.dropped()).containsEntry("overflow", 1L);
    assertThat(text(reader.next())).isEmpty();
  }

  @Test
  void reader_thatKeepsUp_isTheSameHoweverMuchHappens() {
    EventReader reader = reader(EventReader.Format.NDJSON);
    reader.next();
    happen(EventStream.CAPACITY);
    long lines = 0;
    for (String text = text(reader.next()); !text.isEmpty(); text = text(reader.next())) {
      lines += text.lines().count();
    }

    assertThat(lines).isEqualTo(EventStream.CAPACITY);
    assertThat(stream.dropped()).doesNotContainKey("overflow");
  }

  @Test
  void reader_ofAnEventThatIsGone_isToldWhereToBegin() {
    happen(EventStream.CAPACITY + 10);
    EventReader reader =
        stream.read(EventFilter.USUAL, EventReader.Format.SSE, Optional.of(BOOT + 3));

    assertThat(text(reader.next()))
        .contains("event: stream.resync\n", "\"oldest\":\"7011\"", "\"newest\":\"17010\"");
  }

  @Test
  void end_isSaidToEveryReader() {
    EventReader reader = reader(EventReader.Format.SSE);
    reader.next();
    happen(1);
    stream.close();

    Feed.Piece last = reader.next();

    assertThat(last.last()).isTrue();
    assertThat(text(last)).contains("id: 7001\n").endsWith("event: stream.bye\ndata: {}\n\n");
  }

  @Test
  void types_areThoseThatAreDocumented_andTheFrequentOnesAreToldToWhoNamesThem() {
    Set<String> types = EventTypes.all().stream().map(NoticeKind::type).collect(Collectors.toSet());

    assertThat(types)
        .contains(
            "domain.created",
            "domain.paused",
            "domain.unpaused",
            "domain.dying",
            "domain.destroyed",
            "p2m.updated",
            "p2m.split",
            "p2m.merged",
            "p2m.fault",
            "device.assigned",
            "device.deassigned",
            "device.quarantined",
            "iommu.context.updated",
            "iommu.map",
            "iommu.unmap",
            "iommu.invalidated",
            "iommu.fault",
            "iommu.fault.overflow",
            "viommu.shadow.synced",
            "viommu.fault",
            "ioreq.server.created",
            "ioreq.server.enabled",
            "ioreq.server.destroyed",
            "ioreq.sent",
            "ioreq.completed",
            "ioreq.timeout",
            "ioreq.unclaimed",
            "sim.reset",
            "sim.snapshot",
            "sim.restored",
            "sim.fault.injected",
            "sim.clock.advanced");
    assertThat(EventTypes.all().stream().filter(NoticeKind::isFrequent).map(NoticeKind::type))
        .contains("iommu.map", "iommu.unmap", "ioreq.sent");
  }
}

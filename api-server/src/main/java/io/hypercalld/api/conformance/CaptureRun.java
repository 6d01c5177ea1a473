package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.Capture.Snapshot;
import io.hypercalld.api.conformance.CaptureHost.Request;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.unit.InterruptOutcome;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.InterruptRange;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * One snapshot of a capture: its tables on a unit that is programmed as the driver had it, and
 * every recorded translation, leaf and interrupt entry asked for. Confined to one thread.
 */
final class CaptureRun implements AutoCloseable {
  private static final int XAPIC_SHIFT = 8;
  private static final long BYTE = 0xff;

  private final Capture capture;
  private final Snapshot snapshot;
  private final CaptureHost host;
  private final Tally tally = new Tally();

  /** What was asked for, and the first answer that was wrong. */
  private static final class Tally {
    private Optional<Mismatch> wrong = Optional.empty();
    private long translations;
    private long mappings;
    private long requests;
    private long interrupts;

    void note(Optional<Mismatch> mismatch) {
      wrong = wrong.or(() -> mismatch);
    }
  }

  private CaptureRun(Capture capture, Snapshot snapshot, CaptureHost host) {
    this.capture = capture;
    this.snapshot = snapshot;
    this.host = host;
  }

  /** Makes what a capture is put to: memory without contents, and a unit out of reset. */
  @FunctionalInterface
  interface Hosts {
    CaptureHost make(Capabilities capabilities, Set<Integer> requesters);
  }

  /** Puts a whole capture to hosts, each to one of its own: the events, then each snapshot. */
  static void run(Capture capture, Hosts hosts, Report report) {
    List<Snapshot> snapshots = capture.snapshots();
    Set<Integer> requesters = new TreeSet<>();
    snapshots.forEach(snapshot -> requesters.addAll(snapshot.requesters()));
    Function<Snapshot, CaptureHost> make =
        snapshot -> hosts.make(new Capabilities(snapshot.cap(), snapshot.ecap()), requesters);
    EventReplay.run(capture, snapshots, make.apply(snapshots.getFirst()), report);
    for (Snapshot snapshot : snapshots) {
      try (CaptureRun run = new CaptureRun(capture, snapshot, make.apply(snapshot))) {
        run.run(report);
      }
    }
  }

  private void run(Report report) {
    capture.frames(snapshot.label(), host::store);
    program();
    capture.translations(snapshot.label(), this::translate);
    capture.mappings(snapshot.label(), this::bothEnds);
    snapshot.passedThrough().forEach(this::passThrough);
    snapshot.interruptEntries().forEach(this::interrupt);
    tally.note(programmed());
    String id = capture.name() + " " + snapshot.label();
    report.note(
        "%s: %d translations and %d mappings by %d requests, %d interrupt entries"
                .formatted(id, tally.translations, tally.mappings, tally.requests, tally.interrupts)
            + host.remarks());
    tally.wrong.ifPresentOrElse(wrong -> report.fail(id, wrong), report::pass);
  }

  /** Brings the unit where the driver had it, in the order in which a driver may. */
  private void program() {
    long status = snapshot.register("gsts");
    register(Register.RTADDR, snapshot.register("rtaddr"));
    register(Register.IRTA, snapshot.register("irta"));
    command(status & GlobalCommand.SRTP.mask());
    command(status & GlobalCommand.SIRTP.mask());
    command(
        status & (GlobalCommand.TE.mask() | GlobalCommand.IRE.mask() | GlobalCommand.CFI.mask()));
  }

  /** Whether the registers read as the driver had them. */
  private Optional<Mismatch> programmed() {
    long due = snapshot.register("gsts") & ~(GlobalCommand.QIE.mask() | GlobalCommand.WBF.mask());
    long got = Integer.toUnsignedLong(host.window().read32(Register.GSTS.offset()));
    long root = host.window().read64(Register.RTADDR.offset());
    long interrupts = host.window().read64(Register.IRTA.offset());
    boolean right =
        got == due
            && root == snapshot.register("rtaddr")
            && interrupts == snapshot.register("irta");
    return right
        ? Optional.empty()
        : Optional.of(
            new Mismatch(
                "GSTS, RTADDR, IRTA",
                Hex.of(due),
                "%s, %s, %s".formatted(Hex.of(got), Hex.of(root), Hex.of(interrupts))));
  }

  private void register(Register register, long value) {
    host.window().write64(register.offset(), value);
  }

  private void command(long bits) {
    host.window().write32(Register.GCMD.offset(), (int) bits);
  }

  /** Asks for one address, by a read and by a write; what the tables forbid has to fault. */
  private void translate(Capture.Translation recorded) {
    tally.translations++;
    request(recorded);
  }

  private void request(Capture.Translation recorded) {
    tally.note(access(recorded, 0, DmaAccess.READ, recorded.read()));
    tally.note(access(recorded, 0, DmaAccess.WRITE, recorded.write()));
  }

  private void bothEnds(Capture.Translation leaf) {
    tally.mappings++;
    request(leaf);
    tally.note(access(leaf, leaf.page() - PageSize.BYTES_4K, DmaAccess.READ, leaf.read()));
  }

  private Optional<Mismatch> access(
      Capture.Translation recorded, long offset, DmaAccess access, boolean permitted) {
    long iova = recorded.iova() + offset;
    long maddr = recorded.maddr() + offset;
    if (InterruptRange.contains(iova)) {
      return Optional.empty();
    }
    tally.requests++;
    Request request = new Request(recorded.sourceId(), iova, access);
    CaptureHost.Passage got = host.request(request, maddr);
    OptionalLong due =
        permitted && !InterruptRange.contains(maddr) ? host.place(maddr) : OptionalLong.empty();
    return got.maddr().equals(due)
        ? Optional.empty()
        : Optional.of(
            new Mismatch(
                request.toString(),
                due.isPresent() ? "ok:" + Hex.of(maddr) : "a fault",
                got.words()));
  }

  /** A requester in pass-through mode sees memory as it is. */
  private void passThrough(int sourceId) {
    for (long address : new long[] {0, PageSize.BYTES_4K, PageSize.SIZE_1G.bytes()}) {
      translate(new Capture.Translation(sourceId, address, address, PageSize.BYTES_4K, true, true));
    }
  }

  /** Makes the request that names an entry, as the source that the entry names. */
  private void interrupt(Capture.InterruptEntry recorded) {
    tally.interrupts++;
    InterruptEntry entry = new InterruptEntry(recorded.lo(), recorded.hi());
    RemappableMessage message = RemappableMessage.of(recorded.index(), 0);
    InterruptOutcome outcome = host.interrupt(entry.sourceId(), message.address(), message.data());
    boolean right =
        outcome instanceof InterruptOutcome.Delivered(var delivered, var index)
            && isAsEntered(recorded.lo(), delivered)
            && index.orElse(-1) == recorded.index();
    if (!right) {
      tally.note(
          Optional.of(
              new Mismatch(
                  "interrupt entry " + recorded.index(),
                  entry.decode().toString(),
                  outcome.toString())));
    }
  }

  private boolean isAsEntered(long lo, InterruptMessage delivered) {
    boolean extended = InterruptTableAddress.EIME.isSet(snapshot.register("irta"));
    long destination = InterruptEntry.DST.get(lo);
    return delivered.vector() == InterruptEntry.V.get(lo)
        && delivered.mode() == InterruptEntry.DLM.get(lo)
        && delivered.levelTriggered() == InterruptEntry.TM.isSet(lo)
        && delivered.logical() == InterruptEntry.DM.isSet(lo)
        && Integer.toUnsignedLong(delivered.destination())
            == (extended ? destination : destination >>> XAPIC_SHIFT & BYTE);
  }

  @Override
  public void close() {
    host.close();
  }
}

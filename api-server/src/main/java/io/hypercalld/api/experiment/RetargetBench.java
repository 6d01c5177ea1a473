package io.hypercalld.api.experiment;

import io.hypercalld.api.experiment.RetargetAnswer.Road;
import io.hypercalld.api.machine.AccessGuest;
import io.hypercalld.api.machine.AnswerRequest;
import io.hypercalld.api.machine.ComposeDomain;
import io.hypercalld.api.machine.ComposeServer;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.api.machine.ViommuChoices;
import io.hypercalld.api.platform.EmbeddedPlatforms;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.ApicIds;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainSettings;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.AccessOutcome.Verdict;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.UnpauseDomain;
import io.hypercalld.core.ranges.NumberRange;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import io.hypercalld.ioreq.dispatch.DomainIo;
import io.hypercalld.ioreq.server.BufferedMode;
import io.hypercalld.ioreq.server.IoServer;
import io.hypercalld.ioreq.server.RangeKind;
import java.util.List;
import java.util.Optional;
import java.util.function.LongBinaryOperator;

/**
 * A guest of many vCPUs and its device model, with all that the guest's stores cost. Confined to
 * the thread that runs the experiment.
 */
final class RetargetBench implements AutoCloseable {
  /** Where the guest sees the device model's MSI-X tables: 2 MiB. */
  static final long TABLES = 0xf000_0000L;

  private static final long TABLES_END = TABLES + (2 << 20);
  private static final long MEMORY = 16L << 20;

  private final Machine machine =
      new Machine(PlatformSource.named(EmbeddedPlatforms.DEFAULT).load().platform());
  private final Domain guest;
  private final IoServer server;
  private long stores;
  private long exits;
  private long ioreqs;

  /**
   * A guest that runs.
   *
   * @param modelsKnow whether each device model knows extended destinations; the first one has the
   *     tables
   */
  RetargetBench(Road road, int vcpus, List<Boolean> modelsKnow) {
    Optional<VirtualUnitSettings> unit =
        Optional.of(VirtualUnitSettings.interruptsOnly(VirtualUnitSettings.USUAL_BASE))
            .filter(_ -> road == Road.VIOMMU);
    guest =
        machine.execute(
            new ComposeDomain(
                Optional.empty(),
                Optional.empty(),
                DomainType.HVM,
                MEMORY,
                vcpus,
                MemoryPolicies.usual(),
                new ViommuChoices(unit, Optional.empty()),
                new DomainSettings.Interrupts(ApicIds.TWICE, road == Road.EXT_DEST)));
    List<IoServer> servers = modelsKnow.stream().map(this::model).toList();
    server = servers.getFirst();
    server.ranges().map(RangeKind.MEMORY, new NumberRange(TABLES, TABLES_END - 1));
    call(new UnpauseDomain(guest.id()));
  }

  private IoServer model(boolean knows) {
    var traits = new IoServer.Traits(BufferedMode.OFF, knows);
    return machine.execute(new ComposeServer(guest.id(), traits, List.of(), true));
  }

  Machine machine() {
    return machine;
  }

  Domain guest() {
    return guest;
  }

  /** Makes a hypercall as dom0 that is not to be refused. */
  Outcome.Success call(Hypercall arguments) {
    return switch (machine.call(DomainId.DOM0, arguments)) {
      case Outcome.Success success -> success;
      case Outcome.Refused refused ->
          throw Refusal.of(refused.errno(), "the bench is refused: %s", refused.detail());
      case Outcome.Preempted _ -> throw new IllegalStateException("nothing is preempted here");
    };
  }

  /**
   * vCPU 0 stores.
   *
   * @param model what the device model does with an address and data that reach it; its answer is
   *     of no meaning
   */
  void store(long gpa, int size, long data, LongBinaryOperator model) {
    GuestRequest request =
        new GuestRequest(0, new Word(gpa), size, GuestRequest.Operation.WRITE, new Word(data));
    AccessOutcome outcome = machine.execute(new AccessGuest(guest.id(), request));
    stores++;
    exits += outcome.outcome() == Verdict.DONE ? 0 : 1;
    while (outcome.outcome() == Verdict.PENDING) {
      ioreqs++;
      long number = outcome.request().orElseThrow();
      var asked = guest.facet(DomainIo.class).get(server.id(), number).request();
      var _ = model.applyAsLong(asked.address(), asked.data());
      machine.execute(new AnswerRequest(guest.id(), server.id(), number, new Word(0)));
      outcome = machine.execute(new AccessGuest(guest.id(), request));
    }
    if (outcome.outcome() != Verdict.DONE && outcome.outcome() != Verdict.EMULATED) {
      throw new IllegalStateException("the guest's store came to " + outcome);
    }
  }

  /** Counts from 0 again. */
  void reset() {
    stores = 0;
    exits = 0;
    ioreqs = 0;
  }

  long stores() {
    return stores;
  }

  /** Stores that left the guest. */
  long exits() {
    return exits;
  }

  /** Requests that the device model answered. */
  long ioreqs() {
    return ioreqs;
  }

  @Override
  public void close() {
    machine.close();
  }
}

package io.hypercalld.api.experiment;

import io.hypercalld.api.machine.ComposeDomain;
import io.hypercalld.api.machine.DeviceDma;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.api.machine.PlaceDevice;
import io.hypercalld.api.platform.EmbeddedPlatforms;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.MaxMem;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.SetPagingMempoolSize;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaOutcome;
import java.util.Optional;

/**
 * A machine of an experiment's own, with a guest that has a network card's function. Confined to
 * the thread that runs the experiment.
 */
final class ScratchMachine implements AutoCloseable {
  /** What dom0, the hypervisor and everybody's tables need besides the guest's memory. */
  private static final long BESIDES_GUESTS = 4L << 30;

  private static final Sbdf DEVICE = new Sbdf(0, 3, 0x10, 0);
  private static final int DMA_BYTES = 64;

  /** Memory of a guest that is to get the rest otherwise. */
  private static final long SEED_BYTES = 16 << 10;

  /** Roots, and tables above the lowest, of any guest that fits here. */
  private static final long SOME_TABLES = 1024;

  private static final int KIB_SHIFT = 10;

  private final Machine machine;

  /** A machine with room for guests of so many bytes together. */
  ScratchMachine(long guestBytes) {
    this.machine =
        new Machine(
            PlatformSource.named(EmbeddedPlatforms.DEFAULT)
                .load()
                .platform()
                .withMemory(guestBytes + BESIDES_GUESTS));
  }

  Machine machine() {
    return machine;
  }

  /** A new guest without a device. */
  Domain guest(long bytes, MemoryPolicies policies) {
    return machine.execute(
        new ComposeDomain(Optional.empty(), Optional.empty(), DomainType.PVH, bytes, 1, policies));
  }

  /** A new guest without a device, its memory mapped from 0 on by leaves of 4 KiB alone. */
  Domain guestOfSmallPages(long bytes, MemoryPolicies policies) {
    Domain guest = guest(SEED_BYTES, policies);
    long pages = bytes >>> PageSize.SHIFT_4K;
    long seeded = SEED_BYTES >>> PageSize.SHIFT_4K;
    // A table for each 2 MiB, and some for those above.
    long tables = (pages >>> PageSize.SIZE_2M.order()) + SOME_TABLES;
    call(new MaxMem(guest.id(), new Word(bytes >>> KIB_SHIFT)));
    call(new SetPagingMempoolSize(guest.id(), new Word(tables << PageSize.SHIFT_4K)));
    GuestFrames rest = GuestFrames.consecutive(new Gfn(seeded), pages - seeded);
    Outcome.Success done =
        call(new PopulatePhysmap(guest.id(), rest, Optional.empty(), 0, new Word(0), 0));
    if (done.ret() != rest.count()) {
      throw Refusal.of(Errno.ENOMEM, "only %d of %d pages were populated", done.ret(), pages);
    }
    return guest;
  }

  /** Gives the guest the network card's function. */
  void assign(Domain guest) {
    require(
        machine.execute(new PlaceDevice(guest.id(), DEVICE, false, Optional.empty())),
        "assign_device");
  }

  /** Makes a hypercall as dom0 that is not to be refused. */
  Outcome.Success call(Hypercall arguments) {
    return require(
        machine.call(DomainId.DOM0, arguments), machine.catalogue().of(arguments).name());
  }

  private static Outcome.Success require(Outcome outcome, String what) {
    return switch (outcome) {
      case Outcome.Success success -> success;
      case Outcome.Refused(Errno errno, String detail, Object _) ->
          throw Refusal.of(errno, "the scratch machine refused %s: %s", what, detail);
      case Outcome.Preempted _ -> throw new IllegalStateException(what + " was preempted");
    };
  }

  /** Has the device read. */
  DmaOutcome read(long address) {
    return machine
        .execute(new DeviceDma(DEVICE, new Word(address), DMA_BYTES, Optional.empty()))
        .outcome();
  }

  @Override
  public void close() {
    machine.close();
  }
}

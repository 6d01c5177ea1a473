package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.CreateDomain;
import io.hypercalld.core.hypercall.DestroyDomain;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.MaxMem;
import io.hypercalld.core.hypercall.MaxVcpus;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.SetPagingMempoolSize;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * A domain as a toolstack makes one: created, limited and populated, or not at all. It is left
 * paused.
 *
 * @param memoryBytes a multiple of 4 KiB; the largest pages that fit
 * @param sharing whether its devices go through its P2M or through a table of their own
 */
public record ComposeDomain(
    Optional<String> name,
    Optional<UUID> handle,
    DomainType type,
    long memoryBytes,
    int vcpus,
    Sharing sharing)
    implements MachineCommand<Domain> {
  /** Whether devices may, must or must not go through the P2M itself. */
  public enum Sharing {
    WHERE_POSSIBLE,
    REQUIRED,
    NEVER
  }

  private static final long FLAG_HVM = 0x1;
  private static final long FLAG_HAP = 0x2;
  private static final long FLAG_IOMMU = 0x20;
  private static final long OPTION_NO_SHARED_TABLES = 0x1;

  /** All that is emulated for HVM: everything but virtual PCI. */
  private static final long EMULATE_HVM = 0x3ff;

  private static final long EMULATE_PVH = 0x1;

  private static final int KIB_SHIFT = 10;

  /** Guest frame where the hole for devices begins; RAM goes on at 4 GiB. */
  private static final long HOLE_FRAME = 0xf0000;

  private static final long FOUR_GIB_FRAME = 0x100000;

  /** What {@code xl} reserves for a domain's tables: so much a vCPU, and twice a page per MiB. */
  private static final long POOL_KIB_PER_VCPU = 1024;

  private static final long POOL_KIB_PER_MIB = 8;

  @Override
  public Domain execute(Machine machine) {
    checkMemory(machine);
    checkSharing(machine);
    DomainId id = freeId(machine);
    call(machine, creation(machine, id));
    try {
      call(machine, new MaxVcpus(id, vcpus));
      call(machine, new MaxMem(id, new Word(memoryBytes >>> KIB_SHIFT)));
      if (type.isTranslated()) {
        long pool = vcpus * POOL_KIB_PER_VCPU + (memoryBytes >>> 20) * POOL_KIB_PER_MIB;
        call(machine, new SetPagingMempoolSize(id, new Word(pool << KIB_SHIFT)));
      }
      populate(machine, id);
    } catch (Refusal refusal) {
      call(machine, new DestroyDomain(id));
      throw refusal;
    }
    Domain domain = machine.hypervisor().domains().byId(id);
    name.ifPresent(domain::rename);
    return domain;
  }

  private void checkMemory(Machine machine) {
    if (memoryBytes == 0 || memoryBytes % PageSize.BYTES_4K != 0) {
      throw Refusal.of(
          Errno.EINVAL, "%d bytes of memory are not a whole number of pages", memoryBytes);
    }
    long frames = memoryBytes >>> PageSize.SHIFT_4K;
    long free = machine.hypervisor().allocator().freeFrames();
    if (frames > free) {
      throw Refusal.of(Errno.ENOMEM, "%d frames are wanted and %d are free", frames, free);
    }
    boolean nameTaken =
        name.isPresent()
            && machine.hypervisor().domains().all().stream()
                .anyMatch(domain -> domain.name().equals(name.get()));
    if (nameTaken) {
      throw Refusal.of(Errno.EEXIST, "there is a domain %s already", name.get());
    }
  }

  private void checkSharing(Machine machine) {
    if (sharing != Sharing.REQUIRED) {
      return;
    }
    if (!type.isTranslated() || machine.units().isEmpty()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "there is no P2M, or no IOMMU, to share it");
    }
    machine
        .driver()
        .whyNotShared()
        .ifPresent(
            reason -> {
              throw Refusal.of(Errno.EOPNOTSUPP, "the P2M cannot be shared: %s", reason);
            });
  }

  private static DomainId freeId(Machine machine) {
    for (int id = 1; id < DomainId.SELF.value(); id++) {
      DomainId candidate = new DomainId(id);
      if (machine.hypervisor().domains().find(candidate).isEmpty()) {
        return candidate;
      }
    }
    throw Refusal.of(Errno.EEXIST, "every domain id is in use");
  }

  private CreateDomain creation(Machine machine, DomainId id) {
    boolean iommu = type.isTranslated() && !machine.units().isEmpty();
    long flags = (type.isTranslated() ? FLAG_HVM | FLAG_HAP : 0) | (iommu ? FLAG_IOMMU : 0);
    long emulation =
        switch (type) {
          case HVM -> EMULATE_HVM;
          case PVH -> EMULATE_PVH;
          case PV -> 0;
        };
    return new CreateDomain(
        id,
        0,
        handle.orElseGet(() -> handleOf(id)),
        flags,
        iommu && sharing == Sharing.NEVER ? OPTION_NO_SHARED_TABLES : 0,
        vcpus,
        1023,
        -1,
        -1,
        2,
        new CreateDomain.Altp2m(0, 0),
        0,
        0,
        Optional.of(new CreateDomain.Arch(emulation, 0)));
  }

  /** The same each time, as everything else here is. */
  private static UUID handleOf(DomainId id) {
    return UUID.nameUUIDFromBytes(id.toString().getBytes(StandardCharsets.US_ASCII));
  }

  /** From guest frame 0 on, around the hole, with the largest pages that fit and are to be had. */
  private void populate(Machine machine, DomainId id) {
    long frames = memoryBytes >>> PageSize.SHIFT_4K;
    long low = type.isTranslated() ? Math.min(frames, HOLE_FRAME) : frames;
    populate(machine, id, 0, low);
    populate(machine, id, FOUR_GIB_FRAME, frames - low);
  }

  private static void populate(Machine machine, DomainId id, long first, long frames) {
    long done = 0;
    for (PageSize size : List.of(PageSize.SIZE_1G, PageSize.SIZE_2M, PageSize.SIZE_4K)) {
      done += populate(machine, id, first + done, frames - done, size);
    }
    if (done < frames) {
      throw Refusal.of(Errno.ENOMEM, "no frame was to be had for guest frame 0x%x", first + done);
    }
  }

  /** As many extents of one size as there are; stops at the first that is refused. */
  private static long populate(
      Machine machine, DomainId id, long first, long frames, PageSize size) {
    long extents = frames >>> size.order();
    if (extents == 0 || first % size.frames() != 0) {
      return 0;
    }
    long done = 0;
    for (long extent = 0; extent < extents; extent++) {
      Gfn gfn = new Gfn(first + (extent << size.order()));
      PopulatePhysmap call =
          new PopulatePhysmap(id, GuestFrames.of(gfn), Optional.empty(), size.order(), new Word(0));
      if (machine.call(DomainId.DOM0, call).ret() == 0) {
        break;
      }
      done += size.frames();
    }
    return done;
  }

  private static void call(Machine machine, Hypercall arguments) {
    if (machine.call(DomainId.DOM0, arguments)
        instanceof Outcome.Refused(Errno errno, String detail)) {
      throw Refusal.of(errno, "%s", detail);
    }
  }
}

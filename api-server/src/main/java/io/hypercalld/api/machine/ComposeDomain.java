package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainSettings;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.domain.Variation;
import io.hypercalld.core.domain.VcpuLimit;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.CreateDomain;
import io.hypercalld.core.hypercall.DestroyDomain;
import io.hypercalld.core.hypercall.DomainCalls;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.MaxMem;
import io.hypercalld.core.hypercall.MaxVcpus;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.SetPagingMempoolSize;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mGeometry;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.driver.DmaPolicy;
import io.hypercalld.iommu.driver.DomainIommu;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * A domain as a toolstack makes one: created, limited and populated, or not at all. It is left
 * paused.
 *
 * @param memoryBytes a multiple of the P2M's granule; populated with the largest pages that fit
 */
public record ComposeDomain(
    Optional<String> name,
    Optional<UUID> handle,
    DomainType type,
    long memoryBytes,
    int vcpus,
    MemoryPolicies policies,
    ViommuChoices viommu,
    DomainSettings.Interrupts interrupts)
    implements MachineCommand<Domain> {

  /** One with APIC ids as in Xen. */
  public ComposeDomain(
      Optional<String> name,
      Optional<UUID> handle,
      DomainType type,
      long memoryBytes,
      int vcpus,
      MemoryPolicies policies,
      ViommuChoices viommu) {
    this(name, handle, type, memoryBytes, vcpus, policies, viommu, DomainSettings.Interrupts.USUAL);
  }

  /** One without virtual IOMMU. */
  public ComposeDomain(
      Optional<String> name,
      Optional<UUID> handle,
      DomainType type,
      long memoryBytes,
      int vcpus,
      MemoryPolicies policies) {
    this(name, handle, type, memoryBytes, vcpus, policies, ViommuChoices.NONE);
  }

  private static final long FLAG_HVM = 0x1;
  private static final long FLAG_HAP = 0x2;
  private static final long FLAG_IOMMU = 0x20;
  private static final long OPTION_NO_SHARED_TABLES = 0x1;

  /** All that is emulated for HVM: everything but virtual PCI. */
  private static final long EMULATE_HVM = 0x3ff;

  private static final long EMULATE_PVH = 0x1;

  private static final int KIB_SHIFT = 10;

  /** Highest event channel port, and that of a domain with more vCPUs than today's Xen allows. */
  private static final int PORTS = 1023;

  private static final int PORTS_OF_MANY = 4095;

  /** Guest frame where the hole for devices begins; RAM goes on at 4 GiB. */
  private static final long HOLE_FRAME = 0xf0000;

  private static final long FOUR_GIB_FRAME = 0x100000;

  private static final int ORDER_1G = PageSize.SIZE_1G.order();
  private static final int ORDER_2M = PageSize.SIZE_2M.order();

  /** What {@code xl} reserves for a domain's tables: so much a vCPU, and twice a page per MiB. */
  private static final long POOL_KIB_PER_VCPU = 1024;

  private static final long POOL_KIB_PER_MIB = 8;

  @Override
  public Domain execute(Machine machine) {
    checkMemory(machine);
    DomainId id = freeId(machine);
    Domain domain =
        Transaction.run(
            steps -> {
              create(machine, id);
              steps.onFailure(() -> call(machine, new DestroyDomain(id)));
              Domain created = machine.hypervisor().domains().byId(id);
              choosePolicies(created);
              policies.devices().applyTo(steps, machine, created);
              policies.claims().applyTo(steps, created);
              viommu.applyTo(machine, created);
              furnish(machine, id);
              return created;
            });
    name.ifPresent(domain::rename);
    return domain;
  }

  private void furnish(Machine machine, DomainId id) {
    call(machine, new MaxVcpus(id, vcpus));
    call(machine, new MaxMem(id, new Word(memoryBytes >>> KIB_SHIFT)));
    if (type.isTranslated()) {
      long pool = vcpus * POOL_KIB_PER_VCPU + (memoryBytes >>> 20) * POOL_KIB_PER_MIB;
      call(machine, new SetPagingMempoolSize(id, new Word(pool << KIB_SHIFT)));
    }
    populate(machine, id);
  }

  private void checkMemory(Machine machine) {
    long granule = (long) PageSize.BYTES_4K << policies.geometry().granuleOrder();
    if (memoryBytes == 0 || memoryBytes % granule != 0) {
      throw Refusal.of(
          Errno.EINVAL, "%d bytes of memory are not a whole number of pages", memoryBytes);
    }
    if (granule != PageSize.BYTES_4K && !type.isTranslated()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "a PV domain has no P2M with pages of another size");
    }
    long frames = memoryBytes >>> PageSize.SHIFT_4K;
    long free = machine.hypervisor().allocator().unclaimedFrames();
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

  /** As a hypercall, which has no place for some of the choices. */
  private void create(Machine machine, DomainId id) {
    CreateDomain hypercall = creation(machine, id);
    Variation variation =
        new Variation(
            policies.geometry(),
            interrupts.apicIds(),
            interrupts.extendedDestinations(),
            policies.devicePaging(),
            machine.hypervisor().domains().vcpuLimit().ofPolicies());
    DomainCalls calls = machine.hypervisor().domainCalls();
    require(
        machine
            .hypercalls()
            .measured(hypercall, () -> calls.createDomain(DomainId.DOM0, hypercall, variation)));
  }

  private void choosePolicies(Domain domain) {
    domain
        .findFacet(DomainIommu.class)
        .ifPresentOrElse(this::choosePolicies, this::requireNoSharing);
  }

  private void choosePolicies(DomainIommu iommu) {
    iommu.choose(policies.dma());
    policies.syncHooks().ifPresent(iommu::setHooks);
    policies.flush().ifPresent(iommu.flushing()::choose);
  }

  private void requireNoSharing() {
    if (policies.dma().tables() == DmaPolicy.Tables.SHARED) {
      throw Refusal.of(Errno.EOPNOTSUPP, "there is no P2M, or no IOMMU, to share it");
    }
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
    // A PV domain has no P2M that its devices could go through: a table of its own is asked for.
    boolean wanted = type.isTranslated() || policies.dma().tables() == DmaPolicy.Tables.SEPARATE;
    boolean iommu = wanted && !machine.units().isEmpty();
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
        iommu && policies.dma().tables() == DmaPolicy.Tables.SEPARATE ? OPTION_NO_SHARED_TABLES : 0,
        vcpus,
        vcpus > VcpuLimit.OF_THE_HYPERCALL ? PORTS_OF_MANY : PORTS,
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

  /**
   * From guest frame 0 on with the largest pages that fit and are to be had; around the hole that
   * x86 has below 4 GiB, and others have not. Where guest frames are to be machine frames they are
   * where those are.
   */
  private void populate(Machine machine, DomainId id) {
    long frames = memoryBytes >>> PageSize.SHIFT_4K;
    if (policies.devices().isIdentity()) {
      machine.hypervisor().domains().byId(id).physicalMap().orElseThrow().populateIdentity(frames);
      return;
    }
    boolean hole = type.isTranslated() && policies.geometry() == P2mGeometry.GRANULE_4K;
    long low = hole ? Math.min(frames, HOLE_FRAME) : frames;
    populate(machine, id, 0, low);
    populate(machine, id, FOUR_GIB_FRAME, frames - low);
  }

  private void populate(Machine machine, DomainId id, long first, long frames) {
    long done = 0;
    for (int order : List.of(ORDER_1G, ORDER_2M, policies.geometry().granuleOrder())) {
      done += populate(machine, new Extent(id, first + done, order), frames - done);
    }
    if (done < frames) {
      throw Refusal.of(Errno.ENOMEM, "no frame was to be had for guest frame 0x%x", first + done);
    }
  }

  /** An extent of {@code 1 << order} guest frames of a domain. */
  private record Extent(DomainId domain, long first, int order) {}

  /** As many extents of one size as there are; stops at the first that is refused. */
  private static long populate(Machine machine, Extent extent, long frames) {
    long size = 1L << extent.order;
    if (extent.first % size != 0) {
      return 0;
    }
    long done = 0;
    while (frames - done >= size) {
      GuestFrames start = GuestFrames.of(new Gfn(extent.first + done));
      if (machine.call(DomainId.DOM0, populating(extent, start)).ret() == 0) {
        break;
      }
      done += size;
    }
    return done;
  }

  private static PopulatePhysmap populating(Extent extent, GuestFrames start) {
    return new PopulatePhysmap(
        extent.domain, start, Optional.empty(), extent.order, new Word(0), 0);
  }

  private static void call(Machine machine, Hypercall arguments) {
    require(machine.call(DomainId.DOM0, arguments));
  }

  private static void require(Outcome outcome) {
    if (outcome instanceof Outcome.Refused(Errno errno, String detail, Object _)) {
      throw Refusal.of(errno, "%s", detail);
    }
  }
}

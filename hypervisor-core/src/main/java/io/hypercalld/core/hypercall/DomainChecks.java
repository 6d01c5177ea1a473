package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DevicePaging;
import io.hypercalld.core.domain.DomainFlag;
import io.hypercalld.core.domain.DomainSettings;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.domain.Host;
import io.hypercalld.core.domain.Variation;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.CreateDomain.Altp2m;
import io.hypercalld.core.hypercall.CreateDomain.Arch;
import io.hypercalld.core.p2m.P2mGeometry;

/**
 * What {@code createdomain} accepts. Never instantiated.
 *
 * @see "xen/common/domain.c, sanitise_domain_config; xen/arch/x86/domain.c,
 *     arch_sanitise_domain_config and emulation_flags_ok"
 */
final class DomainChecks {
  private static final int PV_MAX_VCPUS = 8192;
  private static final int GRANT_VERSION_MASK = 0xf;
  private static final int MAX_GRANT_VERSION = 2;
  private static final int DEFAULT_GRANT_FRAMES = 64;
  private static final int DEFAULT_MAPTRACK_FRAMES = 1024;
  private static final int MAX_ALTP2M_MODE = 3;
  private static final int MAX_ALTP2M = 512;
  private static final long MISC_MSR_RELAXED = 0x1;
  private static final long EMULATE_LAPIC = 0x1;
  private static final long EMULATE_PIT = 0x100;
  private static final long EMULATE_USE_PIRQ = 0x200;
  private static final long EMULATE_VPCI = 0x400;
  private static final long EMULATE_ALL = 0x7ff;
  private static final long EMULATE_HVM = EMULATE_ALL & ~(EMULATE_VPCI | EMULATE_USE_PIRQ);

  private DomainChecks() {}

  /**
   * The settings asked for.
   *
   * @throws Refusal EINVAL, EOPNOTSUPP, ESRCH, in Xen's order
   */
  static DomainSettings check(CreateDomain args, Host host, Variation variation) {
    checkFlags(args, variation.mostVcpus());
    checkIommu(args, host);
    checkFeatures(args);
    checkAltp2m(args.altp2m(), args.flags());
    Arch arch = arch(args);
    require((arch.miscFlags() & ~MISC_MSR_RELAXED) == 0, "unknown misc_flags");
    checkGrants(args);
    DomainType type = type(args.flags(), arch.emulationFlags());
    if (args.cpupoolId() != 0) {
      throw Refusal.of(Errno.ESRCH, "there is no cpupool %d", args.cpupoolId());
    }
    return settings(args, arch, type).with(variation);
  }

  private static void checkFlags(CreateDomain args, int mostOfHvm) {
    long flags = args.flags();
    require((flags & ~DomainFlag.known()) == 0, "unknown flags");
    require((args.grantOpts() & ~GRANT_VERSION_MASK) == 0, "unknown grant_opts");
    require(args.maxVcpus() >= 1, "max_vcpus is less than 1");
    require(args.maxVcpus() <= (isHvm(flags) ? mostOfHvm : PV_MAX_VCPUS), "max_vcpus is too large");
    require(isHvm(flags) || !DomainFlag.HAP.isIn(flags), "hap without hvm");
  }

  private static void checkIommu(CreateDomain args, Host host) {
    if (DomainFlag.IOMMU.isIn(args.flags())) {
      require((args.iommuOpts() & ~DomainSettings.IOMMU_NO_SHAREPT) == 0, "unknown iommu_opts");
      require(host.iommu(), "the machine has no IOMMU");
    } else {
      require(args.iommuOpts() == 0, "iommu_opts without the iommu flag");
    }
  }

  private static void checkFeatures(CreateDomain args) {
    long flags = args.flags();
    require(args.vmtraceSize() == 0, "the processors have no vmtrace");
    require(!DomainFlag.VPMU.isIn(flags), "the processors have no vpmu");
    require(!DomainFlag.TRAP_UNMAPPED_ACCESSES.isIn(flags), "trap_unmapped_accesses on x86");
    require(
        !DomainFlag.NESTED_VIRT.isIn(flags) || DomainFlag.HAP.isIn(flags),
        "nested_virt without hap");
  }

  private static void checkAltp2m(Altp2m altp2m, long flags) {
    require(altp2m.opts() >= 0 && altp2m.opts() <= MAX_ALTP2M_MODE, "unknown altp2m opts");
    if (altp2m.opts() == 0) {
      require(altp2m.nr() == 0, "altp2m views without a mode");
      return;
    }
    require(DomainFlag.HAP.isIn(flags), "altp2m without hap");
    require(!DomainFlag.NESTED_VIRT.isIn(flags), "altp2m with nested_virt");
    require(altp2m.nr() >= 1 && altp2m.nr() <= MAX_ALTP2M, "that number of altp2m views");
  }

  private static void checkGrants(CreateDomain args) {
    long version = args.grantOpts() & GRANT_VERSION_MASK;
    require(version >= 1 && version <= MAX_GRANT_VERSION, "that grant table version");
    require(args.maxGrantFrames() != 0, "no grant frames");
  }

  private static Arch arch(CreateDomain args) {
    return args.arch().orElseGet(() -> new Arch(isHvm(args.flags()) ? EMULATE_LAPIC : 0, 0));
  }

  private static DomainType type(long flags, long emulation) {
    require((emulation & ~EMULATE_ALL) == 0, "unknown emulation_flags");
    if (!isHvm(flags) && (emulation & ~EMULATE_PIT) == 0) {
      return DomainType.PV;
    }
    if (isHvm(flags) && emulation == EMULATE_LAPIC) {
      return DomainType.PVH;
    }
    if (isHvm(flags) && (emulation & ~EMULATE_USE_PIRQ) == EMULATE_HVM) {
      return DomainType.HVM;
    }
    throw Refusal.of(Errno.EOPNOTSUPP, "no kind of domain has emulation_flags 0x%x", emulation);
  }

  private static DomainSettings settings(CreateDomain args, Arch arch, DomainType type) {
    return new DomainSettings(
        args.handle(),
        type,
        args.flags(),
        args.iommuOpts(),
        (int) args.maxVcpus(),
        args.ssidref(),
        args.maxEvtchnPort(),
        new DomainSettings.GrantLimits(
            args.maxGrantFrames() < 0 ? DEFAULT_GRANT_FRAMES : args.maxGrantFrames(),
            args.maxMaptrackFrames() < 0 ? DEFAULT_MAPTRACK_FRAMES : args.maxMaptrackFrames(),
            (int) (args.grantOpts() & GRANT_VERSION_MASK)),
        new DomainSettings.Altp2m(args.altp2m().opts(), args.altp2m().nr()),
        new DomainSettings.Platform(arch.emulationFlags(), arch.miscFlags()),
        P2mGeometry.GRANULE_4K,
        DomainSettings.Interrupts.USUAL,
        DevicePaging.REFUSE);
  }

  private static boolean isHvm(long flags) {
    return DomainFlag.HVM.isIn(flags);
  }

  private static void require(boolean condition, String complaint) {
    if (!condition) {
      throw Refusal.of(Errno.EINVAL, "a domain cannot be made so: %s", complaint);
    }
  }
}

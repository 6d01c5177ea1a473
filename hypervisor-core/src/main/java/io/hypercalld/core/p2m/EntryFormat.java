package io.hypercalld.core.p2m;

import static io.hypercalld.core.p2m.P2mEntry.A;
import static io.hypercalld.core.p2m.P2mEntry.ACCESS;
import static io.hypercalld.core.p2m.P2mEntry.D;
import static io.hypercalld.core.p2m.P2mEntry.EMT;
import static io.hypercalld.core.p2m.P2mEntry.IPAT;
import static io.hypercalld.core.p2m.P2mEntry.MFN;
import static io.hypercalld.core.p2m.P2mEntry.PW;
import static io.hypercalld.core.p2m.P2mEntry.R;
import static io.hypercalld.core.p2m.P2mEntry.SA_P2MT;
import static io.hypercalld.core.p2m.P2mEntry.SNP;
import static io.hypercalld.core.p2m.P2mEntry.SP;
import static io.hypercalld.core.p2m.P2mEntry.SUPPRESS_VE;
import static io.hypercalld.core.p2m.P2mEntry.W;
import static io.hypercalld.core.p2m.P2mEntry.X;

/**
 * Makes the entries of one P2M. Immutable.
 *
 * <p>Everything but the frame depends on type, access and the domain alone, so it is computed once
 * for each type with the default access.
 *
 * @see "xen/arch/x86/mm/p2m-ept.c, ept_p2m_type_to_flags and epte_get_entry_emt"
 */
final class EntryFormat {
  private final P2mSettings settings;
  private final P2mAccess defaultAccess;
  private final long[] leaves;
  private final long table;

  EntryFormat(P2mSettings settings, P2mAccess defaultAccess) {
    this.settings = settings;
    this.defaultAccess = defaultAccess;
    P2mType[] types = P2mType.values();
    this.leaves = new long[types.length];
    for (P2mType type : types) {
      leaves[type.number()] = leafWithoutFrame(type, defaultAccess);
    }
    this.table =
        R.mask()
            | W.mask()
            | X.mask()
            | A.mask()
            | ACCESS.of(defaultAccess.number())
            | SUPPRESS_VE.mask();
  }

  P2mAccess defaultAccess() {
    return defaultAccess;
  }

  /** A leaf of the type with the default access; its frame is still to be added. */
  long leaf(P2mType type, int level) {
    return leaves[type.number()] | (level > 1 ? SP.mask() : 0);
  }

  /** The same for a page that the hypervisor shares: its memory type is the host's choice. */
  long specialLeaf(P2mType type) {
    return IPAT.set(leaf(type, 1));
  }

  /** An entry for the table at the machine address. */
  long table(long maddr) {
    return table | MFN.inPlace(maddr);
  }

  /** Whether a mapping of the type without a frame is something, and not simply nothing. */
  static boolean isEmpty(P2mType type, boolean hasFrame) {
    return type == P2mType.INVALID || (!hasFrame && !P2mType.FRAMELESS.contains(type));
  }

  private long leafWithoutFrame(P2mType type, P2mAccess access) {
    boolean readable = type.isReadable() && access.isReadable();
    boolean writable = type.isWritable() && access.isWritable();
    boolean executable = type.isExecutable() && access.isExecutable();
    long entry = SA_P2MT.of(type.number()) | ACCESS.of(access.number()) | SUPPRESS_VE.mask();
    entry |= (readable ? R.mask() : 0) | (executable ? X.mask() : 0);
    entry |= writable ? W.mask() | D.mask() : 0;
    entry |= readable || writable || executable ? A.mask() : 0;
    entry |= access == P2mAccess.R_PW ? PW.mask() : 0;
    entry |= settings.snoop() ? SNP.mask() : 0;
    return entry | memoryType(type);
  }

  /*
   * The guest's and the host's MTRRs say write-back for all of RAM, so what is left of Xen's rule
   * is whether the guest's PAT counts: it does where a device may look at the memory too.
   */
  private long memoryType(P2mType type) {
    if (type == P2mType.MMIO_DIRECT) {
      return EMT.of(P2mEntry.EMT_UC);
    }
    boolean hostDecides =
        !settings.iommu() || P2mType.GRANT.contains(type) || type == P2mType.MAP_FOREIGN;
    return EMT.of(P2mEntry.EMT_WB) | (hostDecides ? IPAT.mask() : 0);
  }
}

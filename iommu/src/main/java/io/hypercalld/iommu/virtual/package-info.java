/**
 * Remapping units that guests see: the same registers, tables, queue and fault log as the
 * silicon's, with a guest's memory behind them.
 *
 * <p>What a guest's tables say about its virtual devices the unit translates itself. Physical
 * devices go through the machine's units, so for them the guest's tables are shadowed: composed
 * with the P2M into an address space that the driver points the device at. First-level tables of a
 * guest in scalable mode need no shadow where the machine's unit nests: it walks them where the
 * guest has them, with the domain's own table, the shared P2M included, as the second level.
 *
 * <p>Invariants: a shadow maps what the guest's tables said at some time since the last
 * invalidation that covers it, as far as the P2M maps it now; never a frame that the P2M does not.
 *
 * @see "spec/documents.md S1"
 */
@NullMarked
package io.hypercalld.iommu.virtual;

import org.jspecify.annotations.NullMarked;

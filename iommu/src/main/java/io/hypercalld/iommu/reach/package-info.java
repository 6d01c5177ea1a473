/**
 * Which interrupt reaches which vCPU of a domain, and so how far a guest's boot comes.
 *
 * <p>Nothing here knows how long a destination is: a message is aimed at an APIC id as well as its
 * format can, and what it means is asked of the code that delivers it. Guests' rules are models,
 * declared in {@link io.hypercalld.iommu.reach.GuestRules}.
 *
 * @see "spec/documents.md S1-D15, S1-Q1"
 */
@NullMarked
package io.hypercalld.iommu.reach;

import org.jspecify.annotations.NullMarked;

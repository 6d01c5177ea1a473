/**
 * Recorded behaviour of remapping hardware, put to this silicon: corpus files of cases, and
 * captures of real drivers at work.
 *
 * <p>A case or a capture brings memory, a unit's capabilities and what was done; the unit that
 * answers is a fresh {@link io.hypercalld.iommu.unit.RemappingUnit} with nothing above it. What
 * counts is the set of outcomes that the specification allows, as the recording states it; where
 * the recorded implementation left that set, the file says so, and so does the {@link
 * io.hypercalld.api.conformance.Report}.
 *
 * <p>Invariant: nothing goes uncompared. Where both went different legal ways, registers, memory
 * and messages are held to a {@link io.hypercalld.api.conformance.UnitModel} and a {@link
 * io.hypercalld.api.conformance.RecordedMemory} of either; every other difference that is let pass
 * is a {@link io.hypercalld.api.conformance.Freedom} of one exact effect, and is counted.
 */
@NullMarked
package io.hypercalld.api.conformance;

import org.jspecify.annotations.NullMarked;

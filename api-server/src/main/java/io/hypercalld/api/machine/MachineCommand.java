package io.hypercalld.api.machine;

import io.hypercalld.core.hypercall.Command;

/**
 * A change to a machine that is not one hypercall.
 *
 * @param <R> what comes of it
 */
public sealed interface MachineCommand<R> extends Command
    permits AccessGuest,
        AccessPort,
        AccessViommu,
        AddReservedRegion,
        AdvanceClock,
        AnswerRequest,
        AnswerVmEvent,
        AssertGsi,
        BootKernel,
        CallKernel,
        ChooseDomainPolicies,
        ChoosePolicies,
        ComposeDomain,
        ComposeServer,
        CreateViommu,
        DeviceDma,
        DeviceInterrupt,
        DirectTimer,
        ExpireTimer,
        HaltKernel,
        HoldWrites,
        InjectFault,
        LoadViommu,
        MoveVcpu,
        PlaceDevice,
        PlugFunction,
        PlugFunction.Renumber,
        PlugFunction.Unplug,
        Preempt,
        RememberTranslations,
        RemoveFault,
        ResetCounters,
        RunDriver,
        ResetDomainCounters,
        RepeatAccess,
        ResetUnit,
        ResetUnitCounters,
        SetEndpoint,
        SetIoTimeout,
        TakeBuffered,
        VirtualDma,
        VirtualMsi,
        SendIpi,
        ServeInterrupt,
        SetProcessor,
        SetApic,
        SetBusMaster,
        SetPace,
        WriteGuestMemory,
        WriteMachineMemory,
        WriteRegister {
  /**
   * Carries it out.
   *
   * @throws io.hypercalld.core.errno.Refusal with nothing changed
   */
  R execute(Machine machine);
}

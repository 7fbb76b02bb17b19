/**
 * What counts as a site of a mutation, by name: data for mutations.ts. A call of one of these, as a
 * statement of its own, can go; a condition that asks one of these can be ignored.
 */

/** The rooms that are mutated. */
export const ROOMS = new Set(['sync', 'mm', 'reclaim']);

/** The calls that can go, by the kind of mutation that this is. */
export const SITES = new Map([
  [
    'lock',
    names(`spinLock spinLockNested takeSpinlock lockInOrder ttasWait ticketLock mcsLock lockSwitch
      downRead downWrite waitToEnter mmapReadLock mmapWriteLock anonVmaLockRead vmaStartWrite
      vmaWriteLock waitOnPage waitOnLocked localIrqDisable`),
  ],
  [
    'unlock',
    names(`spinUnlock pmdUnlock ticketUnlock mcsUnlock pteUnmap pteUnmapUnlock upRead upWrite
      mmapReadUnlock mmapWriteUnlock anonVmaUnlockRead vmaEndRead vmaReadUnlock vmaWriteUnlockAll
      pageUnlock localIrqEnable walkEnd`),
  ],
  [
    'flush',
    names(`flushTlbRange flushTlbBatchedPending flushBatched flushSlot setTlbUbcFlushPending
      tlbGatherMmu tlbFinishMmu tlbFlushMmu tlbFlushMmuTlbonly tlbAdjustRange gatherEverything
      interruptOthers interruptPoint pwcForget`),
  ],
  [
    'rcu',
    names(`rcuReadLock rcuReadUnlock rcuQuiescent rcuOnline rcuOffline rcuIdleExit rcuAdvance
      rcuBoundary rcuOperationEnd rcuDrain synchronizeRcu callRcu runRcuCallbacks pteFreeDefer
      report leave abstractAnswer abstractLeave waitUntilTaken percpuRefFinishAwaited`),
  ],
  [
    'count',
    names(`mmIncNrTables mmDecNrTables noteSet noteCleared entriesChanged resetCounts countEntries
      addReferences tablePut pteAllocPut percpuRefInit percpuRefGet percpuRefPut addLocal addShared
      clearLocals getFolio putFolio holdPage putHeldPages releaseSwap tlbAddPages`),
  ],
  [
    'setter',
    names(`write store storeRelease storeAndWake storeReleaseAndWake add addAndWake exchange
      compareExchange wake ptepReplace pteSet pteClear ptepClearFlush pmdPopulate pmdUnhook
      upperUnhook markUnhooked flipPageState clearPageState flipAndWake`),
  ],
] as const);

/** Looks whether something is still as it was, is free, or is empty. */
export const RECHECKS = names(`pmdSame pteSame pmdNone pteNone pmdTablePresent pmdMatchesFrame
  isHooked mapsPage vmaCovers vmaStartRead vmaReadTrylock spinTrylock ticketTrylock mcsTrylock
  pageTrylock mmapReadTrylock downReadTrylock tryEnter tryOnce tableGet allocGet
  addUnlessZero percpuRefIsZero percpuRefTryGet tableIsEmpty entriesAreNone isEmpty
  isEmptyNow isReclaimable tryPageState compareExchange rcuGraceIsOver isBusy freeze holdsMany`);

/** Counted, recorded or checked, and of no effect on the modelled kernel. */
export const STATISTICS = names(`count countRace countContended countTrylockFailed countAcquired
  noteFact noteOrder noteOrderNested noteMemoryShort recordEvent recordFaultLatency
  recordMadviseLatency quietMax bump panic assert checkFrame checkEmpty checkWalk checkOutOfMemory
  checkLockDropped checkRemembered mightSleep lockStatAcquired lockStatEntered lockStatReleased
  lockStatReleasedAll lockStatFailed lockStatWaits lockStatWaitsForReader lockStatWaited
  tracePhase traceEvent traceRound traceOperationEnd traceEnter traceLeave traceLockWait
  traceLockWaitEnd traceAcquired traceReleased traceReleasedAll traceWordWait traceWordWaitEnd
  traceSection traceSectionEnd traceRace traceFact traceGraceWanted traceGraceOver`);

/** Whole modules that observe, or are the torture themselves. */
export const JUDGING_MODULES = new Set([
  'sync/held.js',
  'sync/lock-stat.js',
  'sync/lock-torture.js',
  'sync/rcu-torture.js',
  'mm/check-remembered.js',
  'mm/truthful.js',
  'reclaim/registry.js',
]);

/** Functions of other modules that do. */
export const JUDGING_FUNCTIONS = names(`checkFrame checkEmpty checkWalk notePmdChange noteAt
  lastChanger lastPmdChanger holderOf percpuRefValue recordMadviseLatency`);

function names(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/));
}

/** Thread entry point of a searcher: does the job that it is given. */
import { type Job, runReplay, runSearch, runShrink } from '#explore/jobs';

export default function explorer(job: Job): Promise<unknown> {
  if (job.job === 'search') return runSearch(job);
  return job.job === 'shrink' ? runShrink(job) : runReplay(job);
}

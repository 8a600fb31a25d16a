import { createServiceClient, staticRegistry, type ServiceClient, type ServiceClientOptions } from 'fairlead';
import { fakeFetch, testRuntime, type TestRuntime } from 'fairlead/testing';

export interface OneInstance {
  readonly client: ServiceClient;
  readonly runtime: TestRuntime;
  /** What arrived. */
  readonly requests: Request[];
}

/** A client of one instance that answers by a function, on virtual time. */
export const oneInstance = async (
  answer: (request: Request, runtime: TestRuntime) => Response | Promise<Response>,
  options: Partial<ServiceClientOptions> = {},
): Promise<OneInstance> => {
  const requests: Request[] = [];
  const runtime: TestRuntime = testRuntime({
    fetch: fakeFetch(request => {
      requests.push(request);
      return answer(request, runtime);
    }),
  });
  const registry = staticRegistry(['http://10.0.0.1:8080']);
  const client = createServiceClient({ service: 'users', registry, runtime, ...options });
  await runtime.settle();
  return { client, runtime, requests };
};

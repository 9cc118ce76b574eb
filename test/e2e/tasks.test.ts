import { proveTasks } from './tasks.ts';

proveTasks();

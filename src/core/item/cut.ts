export const cutItem = (_item: unknown, _limit: number): boolean => false
